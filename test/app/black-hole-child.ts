/**
 * Runs the agent twice in a network namespace in which the server has an IPv6 address that swallows every datagram, and
 * an IPv4 address that works. Prints, as JSON, the time from each start to the first accepted telemetry.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess } from './agent-process.ts';

const HOST = 'tb.example.test';
/** Of the documentation (RFC 3849): on a link whose other end belongs to nobody. */
const [ADDRESS, BLACK_HOLE] = ['2001:db8::2', '2001:db8::1'];

const directory = mkdtempSync(join(tmpdir(), 'firstlight-black-hole-'));
const [scheme = 'coap'] = process.argv.slice(2);

must('ip', 'link', 'set', 'lo', 'up');
must('ip', 'link', 'add', 'hole', 'type', 'veth', 'peer', 'name', 'end');
must('ip', 'link', 'set', 'end', 'up');
must('ip', 'link', 'set', 'hole', 'up');
must('ip', '-6', 'address', 'add', `${ADDRESS}/64`, 'dev', 'hole', 'nodad');
must('ip', '-6', 'neighbour', 'add', BLACK_HOLE, 'lladdr', '02:00:00:00:00:01', 'dev', 'hole');
const hosts = join(directory, 'hosts');
writeFileSync(hosts, `${BLACK_HOLE} ${HOST}\n127.0.0.1 ${HOST} localhost\n`);
must('mount', '--bind', hosts, '/etc/hosts');

await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: 'the-secret-of-this-profile' } });
const port = scheme === 'coap' ? sandbox.coapPort : sandbox.httpPort;
const file = join(directory, 'firstlight.toml');
writeFileSync(
  file,
  `[server]\nurl = "${scheme}://${HOST}:${port}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "the-secret-of-this-profile"\n[device]\nname = "gw"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`,
);
const tookMs: number[] = [];
for (let start = 0; start < 2; start += 1) {
  const startedMs = performance.now();
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(directory, 'state')]);
  await agent.line('event=FL-TELEMETRY-STARTED');
  tookMs.push(Math.round(performance.now() - startedMs));
  await agent.stop();
}
const requests = { devices: sandbox.devices().length };
console.log(JSON.stringify({ tookMs, ...requests }));
rmSync(directory, { recursive: true });

function must(command: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
}

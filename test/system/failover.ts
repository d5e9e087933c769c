/**
 * UDP is dropped by a packet filter half-way through a backlog: the agent moves to HTTPS, later back, and the server has every reading.
 *
 * Run by `npm run test:roads` as root in namespaces of its own, with nft and openssl; `--directory` is for its files, and removed by
 * who made it. The program as it is, with its own times: 20 s of silence, and the first look back after half a minute to a minute. How
 * long it may take is bounded for a machine that has much else to do, and is no part of what is promised.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { Authority } from '../doubles/certificates.ts';
import { openTlsFront } from '../doubles/tls-front.ts';
import { MAIN } from '../paths.ts';
import { notedIn, settle } from './readings-ledger.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const DEVICE = 'gw';
/** Readings that wait before the server is there, a second each. */
const BACKLOG = 20;
/** Each of the steps takes at most half a minute to a minute on a machine with nothing else to do. */
const WITHIN_S = 240;
const HOOK = join(import.meta.dirname, 'hooks/reading-hook.js');

const never = new AbortController().signal;
const clock = hostClock();
const { values } = parseArgs({ options: { directory: { type: 'string' } } });
if (values.directory === undefined) throw new Error('--directory is not given: run npm run test:roads');
const directory = values.directory;
const noted = join(directory, 'readings');

must('ip', 'link', 'set', 'lo', 'up');
using authority = new Authority();
await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' }, knobs: { dead: true } });
sandbox.core.admin.createDevice({ name: DEVICE, token: TOKEN });
const { cert, key } = authority.issue();
await using front = await openTlsFront(sandbox.httpPort, { cert, key });
const agent = start(config(sandbox, front.port, authority.pem.certFile));
try {
  await drive();
  const { missing, repeated, problems } = ledger();
  if (agent.said().includes(TOKEN)) throw new Error('the token is in the log');
  if (problems.length > 0) throw new Error(problems.join('; '));
  const [coap, http] = [stored('coap'), stored('http')];
  console.log(
    `${coap + http} readings, none missing but the last ${missing.length}, ${repeated} repeated with the same date; over HTTPS ${http}, over CoAP ${coap}`,
  );
} catch (error) {
  console.error(agent.said());
  throw error;
} finally {
  await agent.stop();
}

async function drive(): Promise<void> {
  await until('the agent is ready', () => agent.said().includes('FL-AGENT-STARTED'));
  await until('a backlog', () => existsSync(noted) && notedIn(noted).length >= BACKLOG);
  sandbox.setKnobs({ dead: false });
  await until('readings over CoAP', () => stored('coap') >= 5);
  must('nft', 'add table inet roads');
  must('nft', 'add chain inet roads in { type filter hook input priority 0; }');
  must('nft', `add rule inet roads in udp dport ${sandbox.coapPort} drop`);
  await until('readings over HTTPS', () => stored('http') > 5);
  must('nft', 'delete table inet roads');
  await until('the agent is back on CoAP', () => agent.said().includes('FL-ENDPOINT-RESTORED'));
  const [back, backMs] = [stored('coap'), clock.wallMs()];
  await until('readings over CoAP again', () => stored('coap') > back + 5);
  await until('the backlog has been delivered', () => ledger().missing.every(({ tsMs }) => tsMs > backMs));
}

function ledger(): ReturnType<typeof settle> {
  return settle(sandbox, DEVICE, [notedIn(noted)]);
}

function stored(via: string): number {
  return sandbox.points({ key: 'uptimeS' }).filter((point) => point.via === via).length;
}

function config({ coapPort }: Sandbox, httpsPort: number, caFile: string): string {
  const file = join(directory, 'firstlight.toml');
  writeFileSync(
    file,
    `[server]
url = ["coap://127.0.0.1:${coapPort}", "https://localhost:${httpsPort}"]
ca-file = "${caFile}"
spread = "0s"
[device]
token = "${TOKEN}"
[telemetry]
interval = "1s"
drain-rate = "1"
[outbox]
spool-after = "5s"
flush-every = "5s"
[clock]
trust = "system"
`,
    { mode: 0o600 },
  );
  return file;
}

function start(file: string) {
  const words = ['--import', HOOK, MAIN, 'run', '--config', file, '--state', join(directory, 'state')];
  const child = spawn(process.execPath, words, { env: { ...process.env, READING_HOOK_FILE: noted } });
  const closed = once(child, 'close');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  return {
    said: () => said,
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
    },
  };
}

function must(...words: readonly [string, ...string[]]): void {
  const [program, ...rest] = words;
  const { status, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < WITHIN_S * 5; tries += 1) {
    if (isSo()) return;
    await clock.sleep(200, never);
  }
  throw new Error(`not within ${WITHIN_S} s: ${what}`);
}

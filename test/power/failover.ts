/**
 * UDP is dropped by a packet filter half-way through a backlog: the agent fails over to HTTPS, later returns
 * to CoAP, and the server has every reading.
 *
 * `npm run test:failover` runs it as root in namespaces of its own, with nft and openssl; the caller creates
 * and removes `--directory`. The program has its real timing: 20 s of silence, and the first retry of CoAP
 * after 30 to 60 s.
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
import { COMPILED_MAIN } from '../paths.ts';
import { readingTimes } from '../reading-times.ts';
import { compare, readingsIn } from './readings-ledger.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const DEVICE = 'gw';
/** Readings that are queued before the server is present, one a second. */
const BACKLOG = 20;
/** A step takes at most 30 to 60 s on an idle machine; the bound is for a loaded one. */
const WITHIN_S = 240;
const HOOK = join(import.meta.dirname, 'hooks/reading-hook.js');

const never = new AbortController().signal;
const clock = hostClock();
const { values } = parseArgs({ options: { directory: { type: 'string' } } });
if (values.directory === undefined) throw new Error('--directory is missing: run npm run test:failover');
const directory = values.directory;
const readingFile = join(directory, 'readings');

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
  if (agent.output().includes(TOKEN)) throw new Error('the token is in the log');
  if (problems.length > 0) throw new Error(problems.join('; '));
  const [coap, http] = [stored('coap'), stored('http')];
  console.log(
    `${coap + http} readings, none missing but the last ${missing.length}, ${repeated} repeated with the same timestamp; over HTTPS ${http}, over CoAP ${coap}`,
  );
} catch (error) {
  console.error(agent.output());
  throw error;
} finally {
  await agent.stop();
}

async function drive(): Promise<void> {
  await until('the agent is ready', () => agent.output().includes('event=FL-AGENT-STARTED'));
  await until('a backlog', () => existsSync(readingFile) && readingsIn(readingFile).length >= BACKLOG);
  sandbox.setKnobs({ dead: false });
  await until('readings over CoAP', () => stored('coap') >= 5);
  must('nft', 'add table inet failover');
  must('nft', 'add chain inet failover in { type filter hook input priority 0; }');
  must('nft', `add rule inet failover in udp dport ${sandbox.coapPort} drop`);
  await until('readings over HTTPS', () => stored('http') > 5);
  must('nft', 'delete table inet failover');
  await until('the agent is back on CoAP', () => agent.output().includes('event=FL-ENDPOINT-RESTORED'));
  const [storedBefore, restoredMs] = [stored('coap'), clock.wallMs()];
  await until('readings over CoAP again', () => stored('coap') > storedBefore + 5);
  await until('the backlog is delivered', () => ledger().missing.every(({ tsMs }) => tsMs > restoredMs));
}

function ledger(): ReturnType<typeof compare> {
  return compare(sandbox, DEVICE, [readingsIn(readingFile)]);
}

function stored(via: string): number {
  return readingTimes(sandbox.points().filter((point) => point.via === via)).length;
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
deadband = "uptimeS=0.1"
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
  const commandLine = [
    '--import',
    HOOK,
    COMPILED_MAIN,
    'run',
    '--config',
    file,
    '--state',
    join(directory, 'state'),
  ];
  const child = spawn(process.execPath, commandLine, {
    env: { ...process.env, READING_HOOK_FILE: readingFile },
  });
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  return {
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
    },
  };
}

function must(...commandLine: readonly [string, ...string[]]): void {
  const [program, ...rest] = commandLine;
  const { status, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${commandLine.join(' ')}: ${stderr}`);
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < WITHIN_S * 5; tries += 1) {
    if (condition()) return;
    await clock.sleep(200, never);
  }
  throw new Error(`not within ${WITHIN_S} s: ${what}`);
}

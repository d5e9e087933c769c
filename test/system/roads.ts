/**
 * UDP is dropped by a packet filter half-way through a backlog: the agent moves to HTTPS, later back, and every reading is stored.
 *
 * `npm run test:roads`, about two minutes: root, in a network namespace of its own (unshare -n), with nft and openssl. The program as it
 * is, with its own times: 20 s of silence, and the first look back after half a minute to a minute.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostClock } from '../../src/host/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { Authority } from '../transport/http/certificates.ts';
import { openTlsFront } from '../transport/http/tls-front.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const never = new AbortController().signal;
const clock = hostClock();
/** Seconds of backlog before the server is there. */
const OFFLINE_S = 20;

function must(...words: readonly [string, ...string[]]): void {
  const [program, ...rest] = words;
  const { status, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
}

async function until(what: string, isSo: () => boolean, withinS: number): Promise<void> {
  for (let tries = 0; tries < withinS * 10; tries += 1) {
    if (isSo()) return;
    await clock.sleep(100, never);
  }
  throw new Error(`not within ${withinS} s: ${what}`);
}

must('ip', 'link', 'set', 'lo', 'up');
const directory = mkdtempSync(join(tmpdir(), 'firstlight-roads-'));
using authority = new Authority();
await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' }, knobs: { dead: true } });
sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN });
const { cert, key } = authority.issue();
await using front = await openTlsFront(sandbox.httpPort, { cert, key });
const config = join(directory, 'firstlight.toml');
writeFileSync(
  config,
  `[server]
url = ["coap://127.0.0.1:${sandbox.coapPort}", "https://localhost:${front.port}"]
ca-file = "${authority.pem.certFile}"
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
const main = join(import.meta.dirname, '..', '..', 'src', 'main.js');
const agent = spawn(process.execPath, [main, 'run', '--config', config, '--state', join(directory, 'state')]);
let said = '';
for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (text) => (said += String(text)));
const stored = (via: string) =>
  sandbox.points({ key: 'uptimeS' }).filter((point) => point.via === via).length;
try {
  await until('the agent is ready', () => said.includes('FL-READY'), 30);
  await clock.sleep(OFFLINE_S * 1000, never);
  sandbox.setKnobs({ dead: false });
  await until('readings over CoAP', () => stored('coap') >= 5, 90);
  const before = stored('http');
  must('nft', 'add table inet roads');
  must('nft', 'add chain inet roads in { type filter hook input priority 0; }');
  must('nft', `add rule inet roads in udp dport ${sandbox.coapPort} drop`);
  await until('readings over HTTPS', () => stored('http') > before + 5, 90);
  must('nft', 'delete table inet roads');
  await until('the agent is back on CoAP', () => /FL-ROAD-BACK/.test(said), 240);
  const back = stored('coap');
  await until('readings over CoAP again', () => stored('coap') > back + 5, 60);
  await until('everything that waited is delivered', () => missing() === 0, 120);
  const points = sandbox.points({ key: 'uptimeS' });
  const dates = new Set(points.map(({ ts }) => ts));
  if (said.includes(TOKEN)) throw new Error('the token is in the log');
  console.log(
    `${dates.size} readings, none missing, ${points.length - dates.size} repeated with the same date; over HTTPS ${stored('http')}, over CoAP ${stored('coap')}`,
  );
} catch (error) {
  console.error(said);
  throw error;
} finally {
  agent.kill('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
}

/** How many of the steps between the first and the last date are longer than one and a half intervals or shorter than a half. */
function missing(): number {
  const dates = [...new Set(sandbox.points({ key: 'uptimeS' }).map(({ ts }) => ts))].sort((a, b) => a - b);
  return dates.filter((ts, index) => {
    const stepMs = ts - (dates[index - 1] ?? ts - 1_000);
    return stepMs > 1_500 || stepMs < 500;
  }).length;
}

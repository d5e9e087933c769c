/**
 * The processes of the bench: the sandbox, the agent from the bundle with the flags of the systemd unit, and an idle Node.
 * Times are taken when a line arrives here, from before the spawn.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');
const UNIT = join(root, 'systemd', 'firstlight.service');
// The recovery part runs twenty agents.
process.setMaxListeners(64);

/** A line that takes longer is missing. */
const LINE_MS_MAX = 30_000;

/** The options of node in the unit's ExecStart. */
export function flagsOfTheUnit() {
  const command = readFileSync(UNIT, 'utf8').match(/^ExecStart=(.+)$/m)?.[1] ?? '';
  return command.split(' ').filter((word) => word.startsWith('--'));
}

export const BARE = ['-e', 'setInterval(()=>{},1e6)'];

/** Starts node, with `more` in its environment, executed by the command `wrapper` if there is one. `line(text)` waits for a line with that text, `event(id)` for a log line of that event; `ms` is since the start. */
export function start(commandLine, more = {}, wrapper = []) {
  const startedMs = performance.now();
  const [program, ...words] = [...wrapper, process.execPath, ...commandLine];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...more },
  });
  const seen = [];
  // Also if the bench fails.
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const ended = new Promise((resolve) => child.once('close', resolve));
  void ended.then(() => process.removeListener('exit', killAtExit));
  let wake = () => {};
  createInterface({ input: child.stdout }).on('line', (text) => {
    seen.push({ text, ms: performance.now() - startedMs });
    wake();
  });
  const line = async (text, withinMs = LINE_MS_MAX) => {
    for (;;) {
      const found = seen.find((each) => `${each.text} `.includes(text));
      if (found) return found;
      const leftMs = startedMs + withinMs - performance.now();
      const output = `${commandLine.join(' ')} printed:\n${seen.map((each) => each.text).join('\n')}`;
      if (leftMs <= 0 || child.exitCode !== null) throw new Error(`no line "${text}"; ${output}`);
      await nextLine(leftMs, ended, (resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    pid: child.pid,
    /** The lines of its output so far, each with its time. */
    seen,
    ended,
    line,
    event: (id, withinMs) => line(`event=${id} `, withinMs),
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

function nextLine(ms, ended, onWake) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    onWake(done);
    void ended.then(done);
  });
}

/** The sandbox and its administration; each `home()` is the command line of a new gateway. */
export async function startSandbox(bundle) {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  const ports = ['--coap-port', '0', '--http-port', '0', '--admin-port', '0', '--json'];
  const sandbox = start([bundle, 'sandbox', ...ports]);
  const { coapPort, adminPort } = JSON.parse((await sandbox.line('{')).text);
  let homes = 0;
  const admin = async (path, options) => {
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, options);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  };
  return {
    coapPort,
    storedPoints: async () => (await admin('/stats')).points.stored,
    createDevice: (name, token) =>
      admin('/devices', { method: 'POST', body: JSON.stringify({ name, token }) }),
    points: (device, key) => admin(`/points?${new URLSearchParams({ device, key, limit: '1000000' })}`),
    /** With a `token` of an existing device; without one the gateway provisions. `more`: TOML. */
    home({ intervalS, port = coapPort, token, state, more = '' }) {
      homes += 1;
      const config = join(directory, `${homes}.toml`);
      const text = configText({ port, name: `bench-${homes}`, intervalS, token });
      writeFileSync(config, text + more, { mode: 0o600 });
      return ['run', '--config', config, '--state', state ?? join(directory, `state-${homes}`)];
    },
    async stop() {
      await sandbox.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** clock.trust is "system" because this host may have no time service; readings would then have no timestamp. */
function configText({ port, name, intervalS, token }) {
  const identity =
    token === undefined
      ? `[provisioning]\nkey = "demo-key"\nsecret = "demo-secret"\n[device]\nname = "${name}"`
      : `[device]\ntoken = "${token}"`;
  return `[server]
url = "coap://127.0.0.1:${port}"
spread = "0s"
${identity}
[clock]
trust = "system"
[telemetry]
interval = "${intervalS}s"
`;
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The programs the bench runs, as processes of their own: the sandbox, the agent out of the bundle, and Node
 * with nothing to do.
 *
 * The agent is started as the systemd unit starts it, with the flags found there. Times are taken when a line
 * arrives here, counted from before the spawn.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');
const UNIT = join(root, 'systemd', 'firstlight.service');
/** A line that does not come within this has not come at all, ms. */
const LINE_MS_MAX = 30_000;

/** What stands between node and the program in the unit's ExecStart. */
export function flagsOfTheUnit() {
  const command = readFileSync(UNIT, 'utf8').match(/^ExecStart=(.+)$/m)?.[1] ?? '';
  return command.split(' ').filter((word) => word.startsWith('--'));
}

export const BARE = ['-e', 'setInterval(()=>{},1e6)'];

/**
 * Starts node with these arguments; `line(text)` is the time in ms since then at which a line with `text`
 * came.
 */
export function start(commandLine) {
  const startedMs = performance.now();
  const child = spawn(process.execPath, commandLine, { stdio: ['ignore', 'pipe', 'inherit'] });
  const seen = [];
  // A bench that fails must not leave it behind.
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const ended = new Promise((resolve) => child.once('close', resolve));
  void ended.then(() => process.removeListener('exit', killAtExit));
  let wake = () => {};
  createInterface({ input: child.stdout }).on('line', (text) => {
    seen.push({ text, ms: performance.now() - startedMs });
    wake();
  });
  return {
    pid: child.pid,
    ended,
    async line(text, withinMs = LINE_MS_MAX) {
      for (;;) {
        const found = seen.find((each) => each.text.includes(text));
        if (found) return found;
        const leftMs = startedMs + withinMs - performance.now();
        const said = `${commandLine.join(' ')} said:\n${seen.map((each) => each.text).join('\n')}`;
        if (leftMs <= 0 || child.exitCode !== null) throw new Error(`no line "${text}"; ${said}`);
        await nextLine(leftMs, ended, (resolve) => {
          wake = resolve;
        });
      }
    },
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

/**
 * The sandbox, with what the bench asks of it; each `home()` is a state directory of a gateway that has never
 * booted.
 */
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
    /** `token`: of a device that is there; absent: it provisions. `more`: TOML. */
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

/** The clock is believed, because a host that runs a bench may have no time service: then nothing would be dated. */
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

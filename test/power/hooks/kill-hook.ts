/**
 * Runs inside the agent (`node --import`): kills it with SIGKILL just before its N-th call that touches the
 * state directory or the network, and logs each call. Needs nothing installed; strace (kernel-kills.ts) sees
 * the calls of the kernel.
 *
 * KILL_HOOK_AT: N, from 1; absent: no kill. KILL_HOOK_STATE: the state directory. KILL_HOOK_LOG: the file for
 * the calls.
 */

import dgram from 'node:dgram';
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { wrap } from './wrap-function.ts';

const at = Number(process.env['KILL_HOOK_AT'] ?? Number.POSITIVE_INFINITY);
const state = process.env['KILL_HOOK_STATE'] ?? '/nonexistent';
const log = process.env['KILL_HOOK_LOG'];
const append = fs.appendFileSync;
const descriptors = new Set<unknown>();
let calls = 0;

function recordCall(name: string): void {
  calls += 1;
  if (log !== undefined) append(log, `${name}\n`);
  if (calls === at) process.kill(process.pid, 'SIGKILL');
}

const inState = (path: unknown) =>
  path === state || (typeof path === 'string' && path.startsWith(`${state}/`));

function count(target: object, name: string, concerns: (first: unknown) => boolean, label = name): void {
  wrap(target, name, ([first]) => {
    if (concerns(first)) recordCall(label);
    return undefined;
  });
}

// The agent reads the host facts in a child process, whose calls must not count.
if (process.argv.includes('run')) {
  for (const name of ['mkdirSync', 'chmodSync', 'renameSync', 'unlinkSync']) count(fs, name, inState);
  wrap(
    fs,
    'openSync',
    ([path]) => {
      if (inState(path)) recordCall('openSync');
      return undefined;
    },
    ([path], descriptor) => {
      if (inState(path)) descriptors.add(descriptor);
    },
  );
  for (const name of ['writeSync', 'fsyncSync']) count(fs, name, (fd) => descriptors.has(fd));
  wrap(fs, 'closeSync', ([fd]) => {
    if (descriptors.delete(fd)) recordCall('closeSync');
    return undefined;
  });
  for (const name of ['mkdir', 'chmod', 'rename', 'unlink', 'open', 'readdir', 'stat']) {
    count(promises, name, inState);
  }
  const handle = await promises.open(process.execPath);
  count(Object.getPrototypeOf(handle) as object, 'sync', () => true);
  await handle.close();
  for (const name of ['bind', 'connect', 'send']) {
    count(dgram.Socket.prototype, name, () => true, `udp ${name}`);
  }
  count(dgram.Socket.prototype, 'emit', (event) => event === 'message', 'udp receive');
  count(net.Server.prototype, 'listen', () => true, 'lock listen');
  syncBuiltinESMExports();
}

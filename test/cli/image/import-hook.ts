/**
 * Runs inside `firstlight import` (`node --import`): kills it with SIGKILL just before its N-th system call below a directory, and
 * logs each call.
 *
 * KILL_HOOK_AT: N, from 1; absent: no kill. KILL_HOOK_ROOT: the directory. KILL_HOOK_LOG: the file for the calls, elsewhere.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { wrap } from '../../power/hooks/wrap-function.ts';

const at = Number(process.env['KILL_HOOK_AT'] ?? Number.POSITIVE_INFINITY);
const root = process.env['KILL_HOOK_ROOT'] ?? '/nowhere';
const log = process.env['KILL_HOOK_LOG'] ?? '/dev/null';
const append = fs.appendFileSync;
const descriptors = new Set<unknown>();
let calls = 0;
let isOurs = true;

function step(name: string, what: unknown): void {
  if (!isOurs) return;
  isOurs = false;
  calls += 1;
  append(log, `${name} ${String(what)}\n`);
  if (calls === at) process.kill(process.pid, 'SIGKILL');
  isOurs = true;
}

const isBelow = (path: unknown) => typeof path === 'string' && path.startsWith(root);

for (const name of ['mkdirSync', 'renameSync', 'unlinkSync', 'linkSync']) {
  wrap(fs, name, ([path]) => {
    if (isBelow(path)) step(name, path);
    return undefined;
  });
}
wrap(
  fs,
  'openSync',
  ([path]) => {
    if (isBelow(path)) step('openSync', path);
    return undefined;
  },
  ([path], descriptor) => {
    if (isBelow(path)) descriptors.add(descriptor);
  },
);
for (const name of ['writeSync', 'fsyncSync', 'fchmodSync', 'closeSync']) {
  wrap(fs, name, ([descriptor]) => {
    if (descriptors.has(descriptor)) step(name, descriptor);
    if (name === 'closeSync') descriptors.delete(descriptor);
    return undefined;
  });
}
syncBuiltinESMExports();

/** Killing a process group, with real processes. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { killGroup } from '../../../src/host/process/run-program.ts';
import { until } from '../../until.ts';

const timeout = 20_000;

it('killGroup does nothing if the group is empty', { timeout }, async (t) => {
  const child = leader(t, 'true');
  await once(child, 'close');
  killGroup(child);
  assert.equal(child.exitCode, 0);
});

it('killGroup kills the members of a group whose leader has ended', { timeout }, async (t) => {
  const child = leader(t, 'sleep 600 >/dev/null 2>&1 & echo $!');
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await once(child, 'close');
  const member = Number(output);
  assert.ok(isAlive(member));
  killGroup(child);
  await until(() => !isAlive(member));
});

it('killGroup spares another process that has the number of an ended child', { timeout }, async (t) => {
  const [ended, another] = [leader(t, 'true'), leader(t, 'echo up; read word; exit 7')];
  await once(ended, 'close');
  if (another.stdout === null) throw new Error('it has no output');
  await once(another.stdout, 'data');
  const { exitCode, signalCode, stdout, stderr } = ended;
  killGroup({ pid: another.pid, exitCode, signalCode, stdout, stderr, unref: () => ended.unref() });
  another.stdin?.end('on\n');
  assert.deepEqual(await once(another, 'exit'), [7, null]);
});

function leader(t: TestContext, script: string): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script], { detached: true });
  t.after(() => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group is empty.
    }
  });
  return child;
}

/** Running, and not a zombie. */
function isAlive(pid: number): boolean {
  const status = `/proc/${pid}/stat`;
  return existsSync(status) && !/\) [ZX] /.test(readFileSync(status, 'latin1'));
}

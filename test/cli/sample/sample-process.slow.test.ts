/** `firstlight sample` beside a device that hangs. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { copyHost } from '../../sensors/helpers/captured-host.ts';
import { sample } from './sample-process.ts';

it('a thread that waits for a dead device does not delay firstlight sample', {
  timeout: 60_000,
}, async (t) => {
  const root = copyHost('x86-vm', t);
  const chip = join(root, 'sys/class/hwmon/hwmon0');
  mkdirSync(chip, { recursive: true });
  writeFileSync(join(chip, 'name'), 'stuck\n');
  execFileSync('mkfifo', [join(chip, 'temp1_input')]);
  const { output, complained, code, signal } = await sample(['--all', '--json', '--root', root]);
  assert.deepEqual([code, signal], [null, 'SIGTERM']);
  assert.equal(JSON.parse(output).values.netEth0Up, true);
  assert.match(complained, /sensor=hwmon reason="no response within the deadline"/);
});

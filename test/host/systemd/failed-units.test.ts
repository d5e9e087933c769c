/** The number of failed units, read with a script in place of systemctl. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { it, type TestContext } from 'node:test';
import { pollFailedUnits } from '../../../src/host/systemd/failed-units.ts';
import { pollOnce, writeProgram } from '../process/poll-once.ts';

for (const [what, output, expected] of [
  ['a number', 'echo 3', 3],
  ['none failed', 'echo 0', 0],
  ['nothing', 'true', undefined],
  ['a sentence', 'echo "Failed to connect to bus"', undefined],
  ['a number, and then fails', 'echo 3; exit 1', undefined],
] as const) {
  it(`systemctl prints ${what}: ${expected ?? 'no number'}`, async (t) => {
    assert.equal(await countWith(t, output, tmpdir()), expected);
  });
}

it('pollFailedUnits runs no program on a host that systemd did not boot', async (t) => {
  assert.equal(await countWith(t, 'echo 3', '/nowhere/systemd'), undefined);
});

it('pollFailedUnits requests one property of the manager', async (t) => {
  const output = `[ "$*" = "show --property=NFailedUnits --value" ] && echo 7`;
  assert.equal(await countWith(t, output, tmpdir()), 7);
});

function countWith(t: TestContext, script: string, booted: string): Promise<number | undefined> {
  const command = writeProgram(t, 'systemctl', script);
  return pollOnce((sleep) => pollFailedUnits({ clock: { sleep }, command, booted }));
}

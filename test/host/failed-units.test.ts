/** The number of failed units: asked of a program beside the sampling, absent where there is nobody to ask. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { failedUnits } from '../../src/host/failed-units.ts';

for (const [what, said, expected] of [
  ['a number', 'echo 3', 3],
  ['none failed', 'echo 0', 0],
  ['nothing', 'true', undefined],
  ['a sentence', 'echo "Failed to connect to bus"', undefined],
  ['a number, and then fails', 'echo 3; exit 1', undefined],
] as const) {
  it(`systemctl says ${what}: ${expected ?? 'no number'}`, async (t) => {
    assert.equal(await asked(t, said, tmpdir()), expected);
  });
}

it('a host that was not booted by systemd is not asked', async (t) => {
  assert.equal(await asked(t, 'echo 3', '/nowhere/systemd'), undefined);
});

it('it asks for one property of the manager, so that the answer is small however many failed', async (t) => {
  const said = `[ "$*" = "show --property=NFailedUnits --value" ] && echo 7`;
  assert.equal(await asked(t, said, tmpdir()), 7);
});

async function asked(t: TestContext, script: string, booted: string): Promise<number | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-units-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = join(folder, 'systemctl');
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  const stop = new AbortController();
  // The first sleep of the loop itself means that it has been answered; that of a deadline only ends with its signal.
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    if (ms > 60_000) stop.abort();
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
  };
  const units = failedUnits({ clock: { sleep }, command, booted });
  await units.keep(stop.signal);
  return units.last;
}

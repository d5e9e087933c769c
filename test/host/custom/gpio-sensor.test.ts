/** Custom sensors that read a GPIO line, with a script in place of gpioget. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { createGpioSensor, openGpio } from '../../../src/host/custom/gpio.ts';

const never = new AbortController().signal;

it('a GPIO sensor is true for a high line, and false if it is inverted', async (t) => {
  const line = { kind: 'gpio', name: 'doorOpen', line: 'GPIO17', everyMs: 1000 } as const;
  const gpio = gpioget(t, 'echo 1');
  const read = (isInverted: boolean) => createGpioSensor({ ...line, isInverted }, gpio).read(never);
  assert.deepEqual(await read(false), { ok: true, values: { doorOpen: true } });
  assert.deepEqual(await read(true), { ok: true, values: { doorOpen: false } });
});

it('a GPIO sensor reports the error of gpioget if another program holds the line', async (t) => {
  const gpio = gpioget(t, 'echo "gpioget: unable to request lines: Device or resource busy" >&2; exit 1');
  const line = { kind: 'gpio', name: 'doorOpen', line: 'GPIO17', everyMs: 1000, isInverted: false } as const;
  assert.deepEqual(await createGpioSensor(line, gpio).read(never), {
    ok: false,
    problem: 'gpioget: unable to request lines: Device or resource busy',
  });
});

function gpioget(t: TestContext, script: string) {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-line-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'gpioget');
  writeFileSync(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo 'gpioget (libgpiod) v2.2.1'; exit 0; fi\n${script}\n`,
  );
  chmodSync(path, 0o755);
  return openGpio({ clock: hostClock(), gpioget: path, deadlineMs: 30_000 });
}

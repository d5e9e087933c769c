/** GPIO lines as sensors of an operator's own, through a program that answers as gpioget does. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { openGpio } from '../../../src/host/custom/gpio.ts';
import { createGpioSensor } from '../../../src/host/custom/gpio-sensor.ts';

const never = new AbortController().signal;

it('a line that is high is true, and false when it is inverted', async (t) => {
  const line = { kind: 'gpio', name: 'doorOpen', line: 'GPIO17', everyMs: 1000 } as const;
  const gpio = gpioget(t, 'echo 1');
  const read = (isInverted: boolean) => createGpioSensor({ ...line, isInverted }, gpio).read(never);
  assert.deepEqual(await read(false), { ok: true, values: { doorOpen: true } });
  assert.deepEqual(await read(true), { ok: true, values: { doorOpen: false } });
});

it('a line that somebody else holds is no value, and told in the words of gpioget', async (t) => {
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

/** GPIO lines by name, with scripts that behave like the tools of libgpiod 1.6 and 2.2. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { checkGpioName, openGpio } from '../../../src/host/custom/gpio.ts';

const never = new AbortController().signal;
const LONG_TIMEOUT_MS = 30_000;

/**
 * gpioget 2.2: names, one line of digits. Front Door is high, all others are low; another program holds Held.
 */
const GPIOGET_2 = `
if [ "$1" = --version ]; then echo 'gpioget (libgpiod) v2.2.1'; exit 0; fi
values=
for word in "$@"; do
  case "$word" in
    --numeric|--as-is|--by-name) ;;
    --*) echo "gpioget: unrecognized option '$word'" >&2; exit 1 ;;
    Held) echo 'gpioget: unable to request lines: Device or resource busy' >&2; exit 1 ;;
    Nowhere) echo "gpioget: cannot find line 'Nowhere'" >&2; exit 1 ;;
    'Front Door') values="$values 1" ;;
    *) values="$values 0" ;;
  esac
done
echo $values`;

/** gpioget 1.6 and its gpiofind: a chip and offsets. Even offsets are high. */
const GPIOGET_1 = `
if [ "$1" = --version ]; then echo 'gpioget (libgpiod) v1.6.3'; exit 0; fi
case "$1" in gpiochip*) shift ;; *) echo 'gpioget: bad chip' >&2; exit 1 ;; esac
values=
for offset in "$@"; do
  [ "$offset" = 99 ] && { echo 'gpioget: error reading GPIO values: Invalid argument' >&2; exit 1; }
  values="$values $(( (offset + 1) % 2 ))"
done
echo $values`;
const GPIOFIND_1 = `
case "$1" in
  GPIO4) echo 'gpiochip0 4' ;;
  GPIO17) echo 'gpiochip0 17' ;;
  EXP2) echo 'gpiochip1 2' ;;
  Broken) echo 'gpiochip1 99' ;;
  *) exit 1 ;;
esac`;

it('gpioget 2 reads all lines by name in one call, without changing them', async (t) => {
  const { gpio, calls } = tools(t, { gpioget: GPIOGET_2 });
  assert.deepEqual(await gpio.read(['GPIO17', 'Front Door'], never), {
    ok: true,
    isHigh: new Map([
      ['GPIO17', false],
      ['Front Door', true],
    ]),
  });
  await gpio.read(['GPIO17'], never);
  assert.deepEqual(calls(), [
    'gpioget --version',
    'gpioget --numeric --as-is --by-name GPIO17 Front Door',
    'gpioget --numeric --as-is --by-name GPIO17',
  ]);
});

it('gpioget 1 reads the lines chip by chip, and gpiofind finds each line once', async (t) => {
  const { gpio, calls } = tools(t, { gpioget: GPIOGET_1, gpiofind: GPIOFIND_1 });
  const names = ['GPIO4', 'EXP2', 'GPIO17'];
  const expected = {
    ok: true,
    isHigh: new Map([
      ['GPIO4', true],
      ['GPIO17', false],
      ['EXP2', true],
    ]),
  };
  assert.deepEqual(await gpio.read(names, never), expected);
  const before = calls().length;
  assert.deepEqual(await gpio.read(names, never), expected);
  assert.deepEqual(calls().slice(before), ['gpioget gpiochip0 4 17', 'gpioget gpiochip1 2']);
});

it('gpiofind finds the lines again after a failed read', async (t) => {
  const { gpio, calls } = tools(t, { gpioget: GPIOGET_1, gpiofind: GPIOFIND_1 });
  await gpio.read(['GPIO4'], never);
  const broken = await gpio.read(['GPIO4', 'Broken'], never);
  assert.deepEqual(broken, { ok: false, problem: 'gpioget: error reading GPIO values: Invalid argument' });
  const before = calls().length;
  await gpio.read(['GPIO4'], never);
  assert.deepEqual(calls().slice(before), ['gpioget --version', 'gpiofind GPIO4', 'gpioget gpiochip0 4']);
});

it('a busy or missing line is reported with the error of the tool', async (t) => {
  const two = tools(t, { gpioget: GPIOGET_2 }).gpio;
  assert.deepEqual(await two.read(['Held'], never), {
    ok: false,
    problem: 'gpioget: unable to request lines: Device or resource busy',
  });
  assert.deepEqual(await two.read(['Nowhere'], never), {
    ok: false,
    problem: "gpioget: cannot find line 'Nowhere'",
  });
  const one = tools(t, { gpioget: GPIOGET_1, gpiofind: GPIOFIND_1 }).gpio;
  assert.deepEqual(await one.read(['Nowhere'], never), {
    ok: false,
    problem: 'there is no GPIO line named Nowhere: list the names with gpioinfo',
  });
});

it('a host without gpioget gets the name of the package to install', async () => {
  const gpio = openGpio({ clock: hostClock(), gpioget: '/nonexistent/gpioget' });
  const states = await gpio.read(['GPIO4'], never);
  assert.ok(!states.ok);
  assert.match(states.problem, /is not installed: install the package gpiod \(apt install gpiod\)$/);
});

it('a missing gpiofind is reported as such, not as a missing line', async (t) => {
  const { gpio } = tools(t, { gpioget: GPIOGET_1 });
  const states = await gpio.read(['GPIO4'], never);
  assert.ok(!states.ok);
  assert.match(states.problem, /gpiofind is not installed/);
});

it('tools that are installed later are used', async (t) => {
  const { folder, gpio } = tools(t, {});
  assert.equal((await gpio.read(['GPIO4'], never)).ok, false);
  writeScript(folder, 'gpioget', GPIOGET_1);
  writeScript(folder, 'gpiofind', GPIOFIND_1);
  assert.deepEqual(await gpio.read(['GPIO4'], never), { ok: true, isHigh: new Map([['GPIO4', true]]) });
});

for (const [what, output] of Object.entries({
  'fewer values than lines': 'echo 1',
  'words instead of digits': 'echo active inactive',
  nothing: ':',
})) {
  it(`reading GPIO lines fails if gpioget prints ${what}`, async (t) => {
    const { gpio } = tools(t, { gpioget: output });
    assert.equal((await gpio.read(['GPIO4', 'GPIO17'], never)).ok, false);
  });
}

it('a hanging gpioget is killed at its deadline', { timeout: 20_000 }, async (t) => {
  const { gpio } = tools(t, { gpioget: 'sleep 1000' }, 200);
  const states = await gpio.read(['GPIO4'], never);
  assert.ok(!states.ok);
  assert.match(states.problem, /did not finish within 200 ms$/);
});

it('a gpioget that prints endlessly is killed', { timeout: 20_000 }, async (t) => {
  const { gpio } = tools(t, { gpioget: 'while :; do echo 1111111111111111; done' });
  const states = await gpio.read(['GPIO4'], never);
  assert.ok(!states.ok);
  assert.match(states.problem, /printed more than 4096 bytes$/);
});

it('an invalid name of a line is rejected before a tool is started', async (t) => {
  const { gpio, calls } = tools(t, { gpioget: GPIOGET_2 });
  for (const name of ['-l', '', ' GPIO4', 'GPIO\n4', 'x'.repeat(32)]) {
    assert.notEqual(checkGpioName(name), undefined, JSON.stringify(name));
    assert.equal((await gpio.read([name], never)).ok, false);
  }
  assert.equal((await gpio.read([], never)).ok, false);
  assert.equal((await gpio.read(['GPIO4', 'GPIO4'], never)).ok, false);
  assert.deepEqual(calls(), []);
  for (const name of ['GPIO4', 'Front Door', 'ID_SDA', 'x'.repeat(31)]) {
    assert.equal(checkGpioName(name), undefined, name);
  }
});

it('reading GPIO lines starts no tool if the agent is stopping', async (t) => {
  const { gpio, calls } = tools(t, { gpioget: GPIOGET_2 });
  const stop = new AbortController();
  stop.abort();
  assert.equal((await gpio.read(['GPIO4'], stop.signal)).ok, false);
  assert.deepEqual(calls(), []);
});

interface Scripts {
  readonly gpioget?: string;
  readonly gpiofind?: string;
}

/** Writes scripts into a temporary folder; each records how it was called. */
function tools(t: TestContext, scripts: Scripts, deadlineMs = LONG_TIMEOUT_MS) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-gpio-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'calls'), '');
  for (const [name, script] of Object.entries(scripts)) writeScript(folder, name, script);
  const gpio = openGpio({
    clock: hostClock(),
    deadlineMs,
    gpioget: join(folder, 'gpioget'),
    gpiofind: join(folder, 'gpiofind'),
  });
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').split('\n').filter(Boolean);
  return { folder, gpio, calls };
}

function writeScript(folder: string, name: string, script: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> '${folder}/calls'\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Custom sensors that read a file: valid numbers, other text, and files that cannot be read. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { FileSensor } from '../../../src/core/model/custom-sensor.ts';
import { DEFAULT_TUNING } from '../../../src/sensors/runtime/tuning.ts';
import { openSensors } from '../../../src/sensors/sampler.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

it('the first number on the first line is the value', async (t) => {
  const rows: readonly [text: string, value: number][] = [
    ['42\n', 42],
    ['42', 42],
    ['-3.25\n', -3.25],
    ['  45000 \n7\n', 45000],
    ['temp=21.5 °C\n', 21.5],
    ['+.5e1', 5],
    ['1.\n', 1],
    [`12${'x'.repeat(5000)}`, 12],
    ['0.12345678', 0.123457],
  ];
  for (const [text, value] of rows) assert.equal((await setup(t, text).sample())['tank'], value, text);
});

it('the number is scaled and offset', async (t) => {
  assert.equal((await setup(t, '45000\n', { scale: 0.001, offset: -1.5 }).sample())['tank'], 43.5);
});

it('a real file of /proc can be read', async (t) => {
  const { sample } = setup(t, '', { path: '/proc/sys/kernel/pid_max' });
  const value = (await sample())['tank'];
  assert.ok(typeof value === 'number' && value > 1000, String(value));
});

for (const [what, make, reason] of [
  ['an empty file', (path) => writeFileSync(path, ''), /has no number: ""/],
  ['N/A', (path) => writeFileSync(path, 'N/A\n12\n'), /has no number: "N\/A"/],
  ['a hexadecimal number', (path) => writeFileSync(path, '0x1f\n'), /has no number/],
  ['a decimal comma', (path) => writeFileSync(path, '21,5\n'), /has no number: "21,5" \(.+a decimal point/],
  ['a date', (path) => writeFileSync(path, '2026-11-26 21.5\n'), /has no number/],
  ['a MAC address', (path) => writeFileSync(path, 'de:ad:be:ef:00:12\n'), /has no number/],
  ['a name that ends in a digit', (path) => writeFileSync(path, 'pump2 on\n'), /has no number/],
  ['a number behind 4 KiB', (path) => writeFileSync(path, `${' '.repeat(4096)}7`), /has no number/],
  ['a number beyond 10^15', (path) => writeFileSync(path, '1e16'), /which the catalogue does not allow/],
  ['a missing file', () => {}, /ENOENT/],
  ['a directory', (path) => mkdirSync(path), /is not a regular file/],
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), /is not a regular file/],
  ['a device', undefined, /is not a regular file/],
] as const satisfies readonly (readonly [string, ((path: string) => void) | undefined, RegExp])[]) {
  it(`${what} is not a value and is logged once; other sensors continue`, async (t) => {
    const { sample, log, path } = setup(t, undefined, make === undefined ? { path: '/dev/zero' } : {});
    make?.(path);
    for (let round = 0; round < 2; round += 1) {
      const values = await sample();
      assert.equal('tank' in values, false);
      assert.ok('load1' in values);
    }
    assert.equal(log.logged.length, 1);
    assert.equal(log.logged[0]?.fields['sensor'], 'tank');
    assert.match(String(log.logged[0]?.fields['reason']), reason);
  });
}

it('an unreadable file is logged with EACCES', {
  skip: process.getuid?.() === 0 && 'root may read all',
}, async (t) => {
  const { sample, log, path } = setup(t, '1');
  chmodSync(path, 0);
  assert.equal('tank' in (await sample()), false);
  assert.match(String(log.logged[0]?.fields['reason']), /EACCES/);
});

it('a custom file has an interval and can be switched off or renamed', async (t) => {
  const { sample, clock, path } = setup(t, '1', { everyMs: 60_000 });
  assert.equal((await sample())['tank'], 1);
  writeFileSync(path, '2');
  await clock.advance(10_000);
  assert.equal((await sample())['tank'], 1);
  await clock.advance(50_000);
  assert.equal((await sample())['tank'], 2);
  const off = { ...DEFAULT_TUNING, selection: { ...DEFAULT_TUNING.selection, off: ['tank'] } };
  assert.equal('tank' in (await setup(t, '1', {}, off).sample()), false);
  const renamed = { ...DEFAULT_TUNING, rename: new Map([['tank', 'level']]) };
  assert.equal((await setup(t, '1', {}, renamed).sample())['level'], 1);
});

function setup(
  t: TestContext,
  text: string | undefined,
  file: Partial<FileSensor> = {},
  tuning = DEFAULT_TUNING,
) {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-file-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'value');
  if (text !== undefined) writeFileSync(path, text);
  const clock = new VirtualClock();
  const log = new RecordingLogger();
  const whole: FileSensor = { kind: 'file', name: 'tank', path, everyMs: 1000, scale: 1, offset: 0, ...file };
  const sensors = openSensors({ root: '/', clock, log, tuning, files: [whole] });
  const sample = async () => {
    const values = await sensors.sample();
    await clock.advance(1000);
    return values;
  };
  return { path, clock, log, sample };
}

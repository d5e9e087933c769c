/** Promises that hold for every sensor there is, and for those to come. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { catalogue, collectors, describeKey, unitOf } from '../../src/sensors/catalogue.ts';

const UNIT_ENDINGS: Readonly<Record<string, RegExp>> = {
  '%': /Percent$/,
  B: /Bytes$/,
  'B/s': /BytesPerS$/,
  '°C': /C$/,
  dBm: /Dbm$/,
  MHz: /MHz$/,
  'Mbit/s': /MbitPerS$/,
  ms: /Ms$/,
  s: /S$/,
  hPa: /Hpa$/,
  lx: /Lx$/,
  rpm: /Rpm$/,
  V: /V$/,
  A: /A$/,
  Ah: /Ah$/,
  W: /W$/,
  Wh: /Wh$/,
  '1/s': /PerS$/,
  '': /[a-z0-9]$/,
};

it('every key is camelCase, names its unit last and stays below 64 characters', () => {
  for (const { key } of catalogue) {
    assert.match(key.replace('*', 'Eth0'), /^[a-z][A-Za-z0-9]*$/);
    assert.match(key, UNIT_ENDINGS[unitOf(key)] ?? /^$/);
    // A Linux interface name has at most 15 characters.
    assert.ok(key.length + 15 <= 64, key);
  }
});

it('every entry has a bound, a meaning, a source, and at most six decimals', () => {
  for (const entry of catalogue) {
    const { key, meaning, source } = entry;
    if (entry.type === 'number') {
      const { min, max, decimals } = entry;
      assert.ok(Number.isFinite(min) && Number.isFinite(max) && min < max, key);
      assert.ok(Number.isInteger(decimals) && decimals >= 0 && decimals <= 6, key);
    }
    if (entry.type === 'text') assert.ok(entry.charactersMax > 0 && entry.charactersMax <= 255, key);
    assert.ok(meaning.length > 0 && source.length > 0, key);
  }
});

it('no two sensors share a key or a name', () => {
  const keys = catalogue.map(({ key }) => key);
  const names = collectors.map(({ name }) => name);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(new Set(names).size, names.length);
});

it('a key with a name of the host in it is described by its pattern', () => {
  assert.equal(describeKey('netEth0RxBytesPerS')?.key, 'net*RxBytesPerS');
  assert.equal(describeKey('load1')?.key, 'load1');
  assert.equal(describeKey('load2'), undefined);
  assert.equal(describeKey('netRx'), undefined);
});

it('every file with a collector in it is named after it and in the catalogue', () => {
  const files = sources().flatMap(({ name, text }) => {
    const [, collector] = /^export const (\w+): Collector = \{$/m.exec(text) ?? [];
    return collector === undefined ? [] : { collector, file: name.replace('.ts', '') };
  });
  assert.deepEqual(
    files.map(({ collector }) => collector).toSorted(),
    collectors.map(({ name }) => name).toSorted(),
  );
  for (const { collector, file } of files) assert.equal(file, collector);
});

it('a sample spawns no process: the sensors import nothing that could', () => {
  const ALLOWED = /^(\.\/[a-z-]+\.ts|\.\.\/core\/[a-z-]+\.ts|node:(fs|fs\/promises|path|timers\/promises))$/;
  for (const { name, text } of sources()) {
    for (const [, from = ''] of text.matchAll(/from '([^']+)'/g)) assert.match(from, ALLOWED, name);
    assert.doesNotMatch(text, /\bimport\(|\brequire\(|process\.binding/, name);
  }
});

function sources(): readonly { name: string; text: string }[] {
  const folder = join(process.cwd(), 'src/sensors');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}

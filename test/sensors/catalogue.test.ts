/** Properties of every sensor in the catalogue. */

import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { it } from 'node:test';
import { catalogue, collectors, describeKey, unitOf } from '../../src/sensors/catalogue.ts';
import { readSources, type SourceFile } from '../import-graph.ts';

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

it('every key is camelCase, ends in its unit and has at most 64 characters', () => {
  for (const { key } of catalogue) {
    assert.match(key.replace('*', 'Eth0'), /^[a-z][A-Za-z0-9]*$/);
    assert.match(key, UNIT_ENDINGS[unitOf(key)] ?? /^$/);
    // A Linux interface name has at most 15 characters.
    assert.ok(key.length + 15 <= 64, key);
  }
});

it('every entry has bounds, a meaning, a source and at most six decimals', () => {
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

it('every decision of a sensor is one sentence', () => {
  const notes = collectors.flatMap((collector) => collector.notes ?? []);
  assert.ok(notes.length >= 10);
  for (const note of notes) {
    assert.match(note, /^[A-Z±-][^.]*(\.(\d|$)[^.]*)*$/);
    assert.ok(note.endsWith('.') && note.length <= 220, note);
  }
});

it('no two sensors share a key or a name', () => {
  const keys = catalogue.map(({ key }) => key);
  const names = collectors.map(({ name }) => name);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(new Set(names).size, names.length);
});

it('a key that contains a name of the host is described by its pattern', () => {
  assert.equal(describeKey('netEth0RxBytesPerS')?.key, 'net*RxBytesPerS');
  assert.equal(describeKey('load1')?.key, 'load1');
  assert.equal(describeKey('load2'), undefined);
  assert.equal(describeKey('netRx'), undefined);
});

it('every collector is in the catalogue and in a file of its name', () => {
  const found = sources().flatMap(({ path, text }) => {
    const [, constant, name = ''] =
      /^export const (\w+): Collector = \{\n {2}name: '(\w+)',$/m.exec(text) ?? [];
    return constant === undefined ? [] : { constant, name, path };
  });
  assert.deepEqual(found.map(({ name }) => name).toSorted(), collectors.map(({ name }) => name).toSorted());
  for (const { constant, path } of found) {
    assert.equal(
      basename(path, '.ts'),
      constant.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    );
  }
});

it('the sensors import nothing that could start a process', () => {
  const ALLOWED = /^(\.\.?\/[a-z./-]+\.ts|node:(fs|fs\/promises|path|timers\/promises))$/;
  for (const { path, text } of sources()) {
    for (const [, from = ''] of text.matchAll(/from '([^']+)'/g)) assert.match(from, ALLOWED, path);
    assert.doesNotMatch(text, /\bimport\(|\brequire\(|process\.binding/, path);
  }
});

function sources(): readonly SourceFile[] {
  return readSources(join(process.cwd(), 'src/sensors'));
}

/** What the spool writes comes back as it was, or not at all. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import type { Reading } from '../../src/core/reading.ts';
import { decode, decodeHeader, encode, encodeHeader, frame, unframe } from '../../src/outbox/codec.ts';

const RUNS = { seed: 20_261_122, numRuns: 500 };

const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
);
const reading: fc.Arbitrary<Reading> = fc.record(
  {
    bootId: fc.constantFrom('ours', 'theirs'),
    bootMs: fc.nat(),
    tsMs: fc.integer({ min: 1 }),
    values: fc.dictionary(fc.string({ minLength: 1 }), value, { minKeys: 1, noNullPrototype: true }),
    full: fc.boolean(),
    gap: fc.constant(true as const),
  },
  { requiredKeys: ['bootId', 'bootMs', 'values', 'full'], noNullPrototype: true },
);

it('every reading comes back as it was, with its boot, both instants and its marks', () => {
  const check = (each: Reading) => {
    const line = encode(each, 'ours');
    const found = unframe(Buffer.concat([Buffer.from('before'), line]), 6);
    assert.equal(found?.endBytes, 6 + line.length);
    assert.deepEqual(decode(found?.json, 'ours'), each);
  };
  fc.assert(fc.property(reading, check), RUNS);
});

it('a record is one line of text that a person can read', () => {
  const line = encode({ bootId: 'ours', bootMs: 5, tsMs: 9, values: { a: 'b\nc' }, full: true }, 'ours');
  assert.match(line.toString(), /^36 [0-9a-f]{8} \{"t":9,"m":5,"f":1,"v":\{"a":"b\\nc"\}\}\n$/);
});

it('a record of which any byte is another is no record, but for its newline', () => {
  const line = encode({ bootId: 'ours', bootMs: 5, values: { temperatureC: 41.5 }, full: true }, 'ours');
  for (let at = 0; at < line.length - 1; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Buffer.from(line);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
      assert.equal(unframe(flipped, 0), undefined, `byte ${at}, bit ${bit}`);
    }
  }
});

it('nothing that is not a frame is taken for one, whatever it is', () => {
  const check = (bytes: Uint8Array) => assert.equal(unframe(Buffer.from(bytes), 0), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check), RUNS);
  for (const text of ['', ' ', '2', '2 00000000', '999999 00000000 {}\n', '-2 00000000 {}\n', '2 a3 {}\n']) {
    assert.equal(unframe(Buffer.from(text), 0), undefined, text);
  }
});

it('values that no reading has make it no reading: the sum says who wrote it, not that it was right', () => {
  const good = { t: 9, m: 5, v: { a: 1 } };
  assert.ok(decode(good, 'ours'));
  const wrong = [
    null,
    [],
    'text',
    { ...good, m: undefined },
    { ...good, m: 'x' },
    { ...good, t: null },
    { ...good, t: Number.POSITIVE_INFINITY },
    { ...good, b: 1 },
    { ...good, f: true },
    { ...good, g: 0 },
    { ...good, v: {} },
    { ...good, v: [1] },
    { ...good, v: { a: null } },
    { ...good, v: { a: { b: 1 } } },
    { ...good, v: { a: JSON.parse('1e999') } },
    { ...good, later: 1 },
  ];
  for (const json of wrong) assert.equal(decode(json, 'ours'), undefined, JSON.stringify(json));
});

it('a header tells its version and its boot, and nothing else is one', () => {
  assert.deepEqual(decodeHeader(unframe(encodeHeader('ours'), 0)?.json), { version: 1, bootId: 'ours' });
  for (const json of [undefined, 1, {}, { version: '1', boot: 'ours' }, { version: 1 }]) {
    assert.equal(decodeHeader(unframe(frame(json ?? null), 0)?.json), undefined);
  }
});

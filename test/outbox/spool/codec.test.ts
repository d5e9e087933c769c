/** Whatever the spool encodes decodes unchanged, or not at all. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import type { Reading } from '../../../src/core/model/reading.ts';
import {
  decode,
  decodeHeader,
  encode,
  encodeHeader,
  frame,
  unframe,
  unseal,
} from '../../../src/outbox/spool/codec.ts';
import type { Dictionary } from '../../../src/outbox/spool/dictionary.ts';
import { anyText } from '../../any-text.ts';
import { repetitions } from '../../repetitions.ts';

const RUNS = { seed: 20_261_122, numRuns: repetitions(1_000, 200) };

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.integer({ min: -20_000, max: 20_000 }).map((hundredths) => hundredths / 100),
  fc.integer({ min: 0, max: 2 ** 40 }).map((kibibytes) => kibibytes * 1_024),
  fc.constantFrom(Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 1e21, 1e-7, 0.1 + 0.2),
);
const value = fc.oneof(
  { weight: 3, arbitrary: number.filter((each) => !Object.is(each, -0)) },
  { weight: 1, arbitrary: fc.oneof(anyText({ maxLength: 20 }), fc.boolean()) },
);
/** A few keys are frequent, so that readings share some. */
const key = fc.oneof(
  fc.constantFrom('a', 'b', 'load1', 'm', '__proto__', '7', '{', '"', 'A+1', 'ä\n\u2028'),
  anyText({ minLength: 1 }),
);
const reading: fc.Arbitrary<Reading> = fc.record(
  {
    bootId: fc.constantFrom('ours', 'ours', 'theirs'),
    bootMs: fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9, noNaN: true })),
    tsMs: fc.integer({ min: 1 }),
    values: fc.dictionary(key, value, { minKeys: 1, maxKeys: 60, noNullPrototype: true }),
    isSnapshot: fc.boolean(),
    gap: fc.constant(true as const),
  },
  { requiredKeys: ['bootId', 'bootMs', 'values', 'isSnapshot'], noNullPrototype: true },
);

const textOf = (json: unknown) => JSON.stringify(json) ?? '';
const FULL: Reading = {
  bootId: 'ours',
  bootMs: 5_000,
  tsMs: 1_795_323_338_000,
  values: { load1: 2.92, memoryUsedBytes: 1_085_255_680, name: 'gw', cpuUsePercent: 97, uptimeS: 18_299 },
  isSnapshot: true,
};
const delta = (values: Reading['values'], more: Partial<Reading> = {}): Reading => {
  return { bootId: 'ours', bootMs: 15_000, tsMs: 1_795_323_348_000, values, isSnapshot: false, ...more };
};
/** The text of the record of a reading after `FULL`. */
function encodeAfterFull(each: Reading): string | undefined {
  const { dictionary } = encode(FULL, 'ours');
  return unseal(encode(each, 'ours', dictionary).bytes, 0, dictionary)?.text;
}

it('every reading decodes unchanged', () => {
  const check = (each: Reading) => {
    const { bytes } = encode(each, 'ours');
    const line = unseal(Buffer.concat([Buffer.from('before'), bytes]), 6);
    assert.equal(line?.endBytes, 6 + bytes.length);
    assert.deepEqual(decode(line?.text ?? '', 'ours'), each);
  };
  fc.assert(fc.property(reading, check), RUNS);
});

it('any sequence of readings decodes unchanged, each with its dictionary', () => {
  const check = (readings: Reading[]) => {
    let dictionary: Dictionary | undefined;
    for (const each of readings) {
      const record = encode(each, 'ours', dictionary);
      assert.equal(record.bytes.indexOf('\n'), record.bytes.length - 1);
      const line = unseal(record.bytes, 0, dictionary);
      assert.deepEqual(decode(line?.text ?? '', 'ours', dictionary), each);
      assert.equal(record.dictionary?.full, each.isSnapshot && !each.gap ? each : dictionary?.full);
      dictionary = record.dictionary;
    }
  };
  fc.assert(fc.property(fc.array(reading, { maxLength: 6 }), check), RUNS);
});

it('a reading with 1,500 keys of the dictionary decodes unchanged', () => {
  const values = (by: number) => {
    return Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`key${index}`, index * by]));
  };
  const { dictionary } = encode({ ...FULL, values: values(3) }, 'ours');
  const { bytes } = encode(delta(values(5)), 'ours', dictionary);
  const line = unseal(bytes, 0, dictionary);
  assert.deepEqual(decode(line?.text ?? '', 'ours', dictionary), delta(values(5)));
});

it('a full record is one readable line of text', () => {
  const { bytes } = encode(
    { bootId: 'ours', bootMs: 5, tsMs: 9, values: { a: 'b\nc' }, isSnapshot: true },
    'ours',
  );
  assert.match(bytes.toString(), /^36 [0-9a-z]{7} \{"t":9,"m":5,"f":1,"v":\{"a":"b\\nc"\}\}\n$/);
});

it('after a full reading, numbers and times are encoded as differences', () => {
  assert.equal(encodeAfterFull(delta({ load1: 2.85, uptimeS: 18_309 })), '7psA/7D+a');
  assert.equal(encodeAfterFull(delta({ memoryUsedBytes: 1_085_256_704, cpuUsePercent: 9 })), '7psB>1C9');
  assert.equal(
    encodeAfterFull(delta({ uptimeS: 18_299, name: 'x', fresh: 1 })),
    '7psD+0{"name":"x","fresh":1}',
  );
  assert.equal(encodeAfterFull(delta({ load1: 3 }, { tsMs: FULL.tsMs ?? 0 })), '7ps,0A3');
});

it('a reading that does not fit the dictionary is encoded independently', () => {
  const { tsMs: _, ...undated } = delta({ load1: 3 });
  for (const each of [
    undated,
    delta({ load1: 3 }, { bootId: 'theirs' }),
    delta({ load1: 3 }, { bootMs: 0.5 }),
    delta({ load1: 3 }, { gap: true }),
    delta({ load1: 3 }, { isSnapshot: true }),
  ]) {
    assert.deepEqual(decode(encodeAfterFull(each) ?? '', 'ours'), each);
  }
});

it('a flipped bit anywhere before the newline makes a record invalid', () => {
  const { bytes: full, dictionary } = encode(FULL, 'ours');
  const small = encode(delta({ load1: 3, name: 'x' }), 'ours', dictionary).bytes;
  for (const line of [full, small]) {
    for (let at = 0; at < line.length - 1; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = Buffer.from(line);
        flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
        assert.equal(unseal(flipped, 0, dictionary), undefined, `byte ${at}, bit ${bit}`);
      }
    }
  }
});

it('a record is invalid with another dictionary, or without one', () => {
  const { dictionary } = encode(FULL, 'ours');
  const { bytes } = encode(delta({ load1: 3 }), 'ours', dictionary);
  assert.ok(unseal(bytes, 0, dictionary));
  assert.equal(unseal(bytes, 0), undefined);
  const check = (other: Reading) => {
    const { dictionary: wrong } = encode({ ...other, isSnapshot: true }, 'ours');
    assert.equal(unseal(bytes, 0, wrong), undefined);
  };
  fc.assert(fc.property(reading, check), RUNS);
});

it('unframe rejects arbitrary bytes', () => {
  const check = (bytes: Uint8Array) => assert.equal(unframe(Buffer.from(bytes), 0), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check), RUNS);
  const texts = ['', ' ', '2', '2 0000000', '999999 0000000 {}\n', '-2 0000000 {}\n', '2 a3 {}\n'];
  for (const text of texts) assert.equal(unframe(Buffer.from(text), 0), undefined, text);
});

it('decode rejects JSON that is not a reading, even with a right checksum', () => {
  const good = { t: 9, m: 5, v: { a: 1 } };
  assert.ok(decode(textOf(good), 'ours'));
  const wrong = [
    null,
    [],
    'text',
    { ...good, m: undefined },
    { ...good, m: 'x' },
    { ...good, t: null },
    { ...good, b: 1 },
    { ...good, f: true },
    { ...good, g: 0 },
    { ...good, v: {} },
    { ...good, v: [1] },
    { ...good, v: { a: null } },
    { ...good, v: { a: { b: 1 } } },
    { ...good, later: 1 },
  ];
  for (const json of wrong) assert.equal(decode(textOf(json), 'ours'), undefined, textOf(json));
  for (const text of ['', '{', '{"t":9,"m":5,"v":{"a":1e999}}', '{"t":1e999,"m":5,"v":{"a":1}}']) {
    assert.equal(decode(text, 'ours'), undefined, text);
  }
});

it('decode rejects invalid letters, differences and names', () => {
  const { dictionary } = encode(FULL, 'ours');
  assert.ok(decode('7psA3', 'ours', dictionary));
  assert.equal(decode('7psA3', 'ours'), undefined);
  const wrong = ['7ps', 'A3', '7psA', '7psE3', '7psA3B', '7psA=3', '7psA+', '7ps,A3', '7psA3{', '7psA3[1]'];
  for (const text of [
    ...wrong,
    '',
    '7psA3{"a":null}',
    '7psA3 ',
    '7psAA3',
    ' 7psA3',
    `7psA+${'z'.repeat(300)}`,
  ]) {
    assert.equal(decode(text, 'ours', dictionary), undefined, text);
  }
  const check = (text: string) => assert.doesNotThrow(() => decode(text, 'ours', dictionary));
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'7,ABC+-<>*/.{}"a1 ') }), check), RUNS);
});

it('decodeHeader returns version and boot ID, and rejects other JSON', () => {
  assert.deepEqual(decodeHeader(unframe(encodeHeader('ours'), 0)?.json), { version: 1, bootId: 'ours' });
  for (const json of [undefined, 1, {}, { version: '1', boot: 'ours' }, { version: 1 }]) {
    assert.equal(decodeHeader(unframe(frame(json ?? null), 0)?.json), undefined);
  }
});

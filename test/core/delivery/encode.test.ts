/** Each body fits its limit in UTF-8, none is empty, and together they contain each reading unchanged. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  BODY_BYTES_MAX,
  type EncodableReading,
  encodeAttributes,
  encodeTelemetry,
  utf8Bytes,
} from '../../../src/core/delivery/encode.ts';
import type { Value, Values } from '../../../src/core/model/reading.ts';
import { anyText } from '../../any-text.ts';
import { repetitions } from '../../repetitions.ts';

const SEED = { seed: 20_261_121, numRuns: repetitions(400) };

/** Any text of UTF-16 units: emoji, lone surrogates, control characters and quotes included. */
const texts = fc.oneof(
  anyText({ maxLength: 60 }),
  fc
    .array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 40 })
    .map((units) => String.fromCharCode(...units)),
);
const keys = fc.oneof(
  fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,30}$/),
  texts.filter((key) => key !== '__proto__'),
);
const values: fc.Arbitrary<Value> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  fc.integer(),
  fc.boolean(),
  texts,
);
const maps: fc.Arbitrary<Values> = fc.dictionary(keys, values, {
  minKeys: 1,
  maxKeys: 12,
  noNullPrototype: true,
});
const readings: fc.Arbitrary<EncodableReading[]> = fc.array(
  fc.record({ tsMs: fc.nat(2_000_000_000_000), values: maps }),
  {
    minLength: 1,
    maxLength: 30,
  },
);
/** Long enough to be split under most of the bounds. */
const one: fc.Arbitrary<EncodableReading> = fc.record({ tsMs: fc.nat(2_000_000_000_000), values: maps });
const bounds = fc.integer({ min: 40, max: 1_000 });

const bytesOf = (text: string) => Buffer.byteLength(text, 'utf8');
const elementsOf = (body: string) => JSON.parse(body) as { ts: number; values: Values }[];

/** As delivery does it: pack the first, take them away, until none is left. */
function packAll(all: readonly EncodableReading[], bytesMax?: number) {
  const bodies: string[] = [];
  const oversizedKeys: string[] = [];
  for (let rest = all; rest.length > 0; ) {
    const packed = encodeTelemetry(rest, bytesMax);
    assert.ok(packed.count >= 1 && packed.count <= rest.length, 'always gets on');
    bodies.push(...packed.bodies);
    oversizedKeys.push(...packed.oversizedKeys);
    rest = rest.slice(packed.count);
  }
  return { bodies, oversizedKeys };
}

/** One line for each point: what the server will know. */
const pointsOf = (all: readonly EncodableReading[]) =>
  all.flatMap(({ tsMs, values }) => Object.entries(values).map((point) => JSON.stringify([tsMs, ...point])));

describe('any readings encoded as telemetry', () => {
  it('no telemetry body exceeds the limit in bytes of UTF-8', () => {
    const check = (all: EncodableReading[], bytesMax: number) => {
      for (const body of packAll(all, bytesMax).bodies) assert.ok(bytesOf(body) <= bytesMax, body);
    };
    fc.assert(fc.property(readings, bounds, check), SEED);
  });

  it('each telemetry body has an element, and each element has a value', () => {
    const check = (all: EncodableReading[], bytesMax: number) => {
      for (const body of packAll(all, bytesMax).bodies) {
        const elements = elementsOf(body);
        assert.ok(elements.length > 0);
        for (const element of elements) assert.ok(Object.keys(element.values).length > 0, body);
      }
    };
    fc.assert(fc.property(readings, bounds, check), SEED);
  });

  it('all bodies together contain every point once, in order, except oversized ones', () => {
    const check = (all: EncodableReading[], bytesMax: number) => {
      const { bodies, oversizedKeys } = packAll(all, bytesMax);
      const got = pointsOf(bodies.flatMap(elementsOf).map(({ ts, values }) => ({ tsMs: ts, values })));
      const sent = pointsOf(all);
      if (oversizedKeys.length === 0) assert.deepEqual(got, sent);
      assert.equal(got.length + oversizedKeys.length, sent.length);
      for (const point of got) assert.ok(sent.includes(point), point);
    };
    fc.assert(fc.property(readings, bounds, check), SEED);
  });

  it('a key is reported as oversized only if it fits no body alone', () => {
    const check = (reading: EncodableReading, bytesMax: number) => {
      const { oversizedKeys } = encodeTelemetry([reading], bytesMax);
      const alone = (key: string) =>
        JSON.stringify([{ ts: reading.tsMs, values: { [key]: reading.values[key] } }]);
      const oversized = Object.keys(reading.values).filter((key) => bytesOf(alone(key)) > bytesMax);
      assert.deepEqual(oversizedKeys, oversized);
    };
    fc.assert(fc.property(one, bounds, check), SEED);
  });
});

describe('telemetry encoding', () => {
  const reading = (tsMs: number, values: Values): EncodableReading => ({ tsMs, values });

  it('no readings yield no body, because the server never responds to an empty one', () => {
    assert.deepEqual(encodeTelemetry([]), { bodies: [], count: 0, oversizedKeys: [] });
  });

  it('an undated reading has no ts and no values member, so that the server dates it', () => {
    const packed = encodeTelemetry([{ values: { a: 1 } }]);
    assert.deepEqual(packed.bodies, ['[{"a":1}]']);
  });

  it('several readings share one body in the array form, each with its own ts', () => {
    const packed = encodeTelemetry([reading(1, { a: 1 }), reading(2, { b: 'x', c: true })]);
    assert.deepEqual(packed.bodies, ['[{"ts":1,"values":{"a":1}},{"ts":2,"values":{"b":"x","c":true}}]']);
    assert.equal(packed.count, 2);
  });

  it('a telemetry body is filled to the last byte of its limit', () => {
    const pair = [reading(1, { a: 1 }), reading(2, { a: 1 })];
    const bytes = bytesOf(encodeTelemetry(pair).bodies[0] ?? '');
    assert.equal(encodeTelemetry(pair, bytes).count, 2);
    assert.equal(encodeTelemetry(pair, bytes - 1).count, 1);
  });

  it('a reading larger than a body is split into bodies of one timestamp', () => {
    const values = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`sensor${index}`, 'x'.repeat(30)]),
    );
    const packed = encodeTelemetry([reading(7, values), reading(8, { a: 1 })]);
    assert.ok(packed.bodies.length > 1);
    assert.equal(packed.count, 1);
    assert.ok(packed.bodies.every((body) => elementsOf(body).every(({ ts }) => ts === 7)));
  });

  it('no body of a split reading has room for the first value of the next body', () => {
    const check = (reading: EncodableReading, bytesMax: number) => {
      const parts = encodeTelemetry([reading], bytesMax).bodies.flatMap(elementsOf);
      for (const [index, { ts, values }] of parts.entries()) {
        const first = Object.entries(parts[index + 1]?.values ?? {}).slice(0, 1);
        const longer = JSON.stringify([{ ts, values: { ...values, ...Object.fromEntries(first) } }]);
        if (first.length > 0) assert.ok(bytesOf(longer) > bytesMax, longer);
      }
    };
    fc.assert(fc.property(one, bounds, check), SEED);
  });

  it('a value too large for any body is omitted and reported; the others are encoded', () => {
    const packed = encodeTelemetry([reading(7, { before: 1, huge: 'x'.repeat(2_000), after: 2 })]);
    assert.deepEqual(packed.oversizedKeys, ['huge']);
    assert.deepEqual(packed.bodies, ['[{"ts":7,"values":{"before":1,"after":2}}]']);
  });

  it('a reading with only a huge value yields no body, but counts as encoded', () => {
    const packed = encodeTelemetry([reading(7, { huge: 'x'.repeat(2_000) }), reading(8, { a: 1 })]);
    assert.deepEqual(packed, { bodies: [], count: 1, oversizedKeys: ['huge'] });
  });

  it('a body leaves room for the headers of a 1280-byte datagram', () => {
    const many = Array.from({ length: 64 }, (_, index) =>
      reading(1_700_000_000_000 + index, { cpuPercent: 1.5 }),
    );
    const bytes = bytesOf(encodeTelemetry(many).bodies[0] ?? '');
    assert.ok(bytes <= BODY_BYTES_MAX && bytes > BODY_BYTES_MAX - 60, `${bytes}`);
    const [ipv6, udp, coap, token] = [40, 8, 30, 255];
    assert.ok(BODY_BYTES_MAX + ipv6 + udp + coap + token <= 1280);
  });
});

describe('attribute encoding', () => {
  it('attribute bodies are flat objects within the limit and contain all values', () => {
    const check = (values: Values, bytesMax: number) => {
      const { bodies, oversizedKeys } = encodeAttributes(values, bytesMax);
      const parts = bodies.map((body) => JSON.parse(body) as Values);
      for (const body of bodies) assert.ok(bytesOf(body) <= bytesMax, body);
      for (const part of parts) assert.ok(Object.keys(part).length > 0);
      const encodable = Object.entries(values).filter(([key]) => !oversizedKeys.includes(key));
      assert.deepEqual(parts.flatMap(Object.entries), JSON.parse(JSON.stringify(encodable)));
    };
    fc.assert(fc.property(maps, bounds, check), SEED);
  });

  it('an attribute is omitted only if it fits no body alone', () => {
    const check = (values: Values, bytesMax: number) => {
      const oversized = Object.entries(values).filter(
        ([key, value]) => bytesOf(JSON.stringify({ [key]: value })) > bytesMax,
      );
      assert.deepEqual(
        encodeAttributes(values, bytesMax).oversizedKeys,
        oversized.map(([key]) => key),
      );
    };
    fc.assert(fc.property(maps, bounds, check), SEED);
  });

  it('no attributes yield no body', () => {
    assert.deepEqual(encodeAttributes({}).bodies, []);
  });
});

it('utf8Bytes returns the encoded length of any text', () => {
  fc.assert(
    fc.property(texts, (text) => assert.equal(utf8Bytes(text), bytesOf(text))),
    SEED,
  );
  for (const [text, bytes] of [
    ['', 0],
    ['a\u007f', 2],
    ['\u0080é', 4],
    ['\u07ff\u0800', 5],
    ['\uffff', 3],
    ['😀', 4],
    ['\ud83d', 3],
  ] as const) {
    assert.equal(utf8Bytes(text), bytes, JSON.stringify(text));
  }
});

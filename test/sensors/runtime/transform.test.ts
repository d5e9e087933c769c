/** Scale, offset, rounding and names of values after they were read. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Values } from '../../../src/core/model/reading.ts';
import { createTransform } from '../../../src/sensors/runtime/transform.ts';
import { DEFAULT_TUNING, type Tuning } from '../../../src/sensors/runtime/tuning.ts';

function transformValues(tuning: Partial<Tuning>, values: Values): Values {
  return createTransform({ ...DEFAULT_TUNING, ...tuning })(values);
}

it('scale comes before offset, and the result has six decimals', () => {
  const tuning = { scale: new Map([['a', 1 / 3]]), offset: new Map([['a', 0.5]]) };
  assert.deepEqual(transformValues(tuning, { a: 1, b: 1 / 3 }), { a: 0.833333, b: 1 / 3 });
});

it('a glob covers several keys, and an exact key has priority', () => {
  const scale = new Map([
    ['net*', 0.001],
    ['netEth0RxBytesPerS', 2],
  ]);
  const values = { netEth0RxBytesPerS: 100, netEth0TxBytesPerS: 100, load1: 100 };
  assert.deepEqual(transformValues({ scale }, values), {
    netEth0RxBytesPerS: 200,
    netEth0TxBytesPerS: 0.1,
    load1: 100,
  });
});

it('flags and texts are renamed but keep their values', () => {
  const tuning = {
    scale: new Map([['*', 2]]),
    offset: new Map([['*', 1]]),
    rename: new Map([['open', 'door.open']]),
  };
  assert.deepEqual(transformValues(tuning, { open: true, state: 'ajar' }), {
    'door.open': true,
    state: 'ajar',
  });
});

it('two keys can exchange their names', () => {
  const rename = new Map([
    ['a', 'b'],
    ['b', 'a'],
  ]);
  assert.deepEqual(transformValues({ rename }, { a: 1, b: 2 }), { b: 1, a: 2 });
});

it('a transformed number is finite and has at most six decimals', () => {
  const number = fc.double({ min: -1e12, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(number, number, number, (value, factor, added) => {
      const tuning = { scale: new Map([['k', factor]]), offset: new Map([['k', added]]) };
      const { k } = transformValues(tuning, { k: value });
      assert.ok(typeof k === 'number' && Number.isFinite(k));
      if (Math.abs(k) < 1e9) assert.ok(Math.abs(k * 1e6 - Math.round(k * 1e6)) < 0.5, `${k}`);
      // Beyond 1e21 it is written with an exponent, and no decimals are left.
      assert.match(JSON.stringify(k), /^-?\d+(\.\d{1,6})?$|e\+2\d$/);
    }),
  );
});

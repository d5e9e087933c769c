/** Deliverable values: finite numbers with at most six decimals, booleans and texts. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { deliverable, round } from '../../../src/core/model/reading.ts';

const SEED = { seed: 20_261_121 };

it('finite numbers, booleans and texts are deliverable, also 0, false and ""', () => {
  const values = { number: 1.5, zero: 0, no: false, yes: true, text: 'x', nothing: '' };
  assert.deepEqual(deliverable(values), values);
});

it('a value that could not be read is absent', () => {
  const values = {
    a: undefined,
    b: null,
    c: Number.NaN,
    d: Number.POSITIVE_INFINITY,
    e: Number.NEGATIVE_INFINITY,
  };
  assert.deepEqual(deliverable(values), {});
});

it('a number that the server would store as text is omitted', () => {
  const exact = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(deliverable({ a: exact, b: -exact, c: exact + 1, d: -1e21 }), { a: exact, b: -exact });
});

it('a text that reads as a number gets its key as a prefix', () => {
  const values = { revision: '007', mode: 'eco', serial: 'revision 007' };
  assert.deepEqual(deliverable(values), { ...values, revision: 'revision 007' });
});

it('every number is rounded to six decimals, and an integer stays exact', () => {
  const values = { tiny: 4e-7, least: 5e-7, third: 1 / 3, large: Number.MAX_SAFE_INTEGER };
  const rounded = { tiny: 0, least: 0.000001, third: 0.333333, large: Number.MAX_SAFE_INTEGER };
  assert.deepEqual(deliverable(values), rounded);
});

it('deliverable keeps the order of the keys and does not change its argument', () => {
  const values = { z: 1, gone: null, a: 2 };
  assert.deepEqual(Object.keys(deliverable(values)), ['z', 'a']);
  assert.deepEqual(values, { z: 1, gone: null, a: 2 });
});

it('round rounds to the nearest number with the given decimals', () => {
  const rows = [
    [0.1 + 0.2, 6, 0.3],
    [12.3456789, 2, 12.35],
    [12.3456789, 0, 12],
    [-1.26, 1, -1.3],
    [5e-17, 6, 0],
    [1e15 + 0.5, 0, 1e15 + 1],
  ] as const;
  for (const [value, decimals, rounded] of rows) assert.equal(round(value, decimals), rounded, `${value}`);
});

it('a rounded number never has more decimals than given', () => {
  const numbers = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  const check = (value: number, decimals: number) => {
    const [, fraction = ''] = JSON.stringify(round(value, decimals)).split('.');
    assert.match(fraction, new RegExp(`^\\d{0,${decimals}}$`));
  };
  fc.assert(fc.property(numbers, fc.integer({ min: 0, max: 6 }), check), SEED);
});

it('round changes a number by at most half of its last decimal', () => {
  const check = (value: number, decimals: number) => {
    assert.ok(Math.abs(round(value, decimals) - value) <= 0.5000001 * 10 ** -decimals);
  };
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 6 }), check),
    SEED,
  );
});

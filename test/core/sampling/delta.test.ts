/** Delta encoding: carrying the last values forward restores the samples. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Value, Values } from '../../../src/core/model/reading.ts';
import { DeltaEncoder, SNAPSHOT_EVERY_MS } from '../../../src/core/sampling/delta.ts';

const SEED = { seed: 20_261_122, numRuns: 500 };

describe('the reading of a sample', () => {
  it('the first reading is a snapshot, the next ones have the changes only', () => {
    const changes = new DeltaEncoder();
    assert.deepEqual(changes.next({ a: 1, b: 'x' }, 0, false), {
      values: { a: 1, b: 'x' },
      isSnapshot: true,
    });
    assert.deepEqual(changes.next({ a: 2, b: 'x' }, 1, false), { values: { a: 2 }, isSnapshot: false });
    assert.equal(changes.next({ a: 2, b: 'x' }, 2, false), undefined);
  });

  it('the deadband of a key precedes that of the first matching glob', () => {
    const deadbands = new Map([
      ['net*', 100],
      ['*Rx', 1],
      ['netARx', 5],
    ]);
    const changes = new DeltaEncoder(deadbands);
    const moved = (values: Values) => Object.keys(changes.next(values, 0, false)?.values ?? {});
    moved({ netARx: 0, netBRx: 0, diskRx: 0, load: 0 });
    assert.deepEqual(moved({ netARx: 5, netBRx: 5, diskRx: 5, load: 0.1 }), ['netARx', 'diskRx', 'load']);
    assert.deepEqual(moved({ netARx: 5, netBRx: 100, diskRx: 5, load: 0.1 }), ['netBRx']);
  });

  it('a snapshot follows after five minutes without changes', () => {
    const changes = new DeltaEncoder();
    changes.next({ a: 1 }, 0, false);
    assert.equal(changes.next({ a: 1 }, SNAPSHOT_EVERY_MS - 1, false), undefined);
    assert.deepEqual(changes.next({ a: 1 }, SNAPSHOT_EVERY_MS, false), {
      values: { a: 1 },
      isSnapshot: true,
    });
    assert.equal(changes.next({ a: 1 }, SNAPSHOT_EVERY_MS + 1, false), undefined);
  });

  it('a forced snapshot restarts the snapshot interval', () => {
    const changes = new DeltaEncoder();
    changes.next({ a: 1 }, 0, false);
    assert.equal(changes.next({ a: 1 }, SNAPSHOT_EVERY_MS - 1, true)?.isSnapshot, true);
    assert.equal(changes.next({ a: 1 }, SNAPSHOT_EVERY_MS + 1, false), undefined);
  });

  it('a disappeared key causes a snapshot', () => {
    const changes = new DeltaEncoder();
    changes.next({ a: 1, b: 2 }, 0, false);
    assert.deepEqual(changes.next({ a: 1 }, 1, false), { values: { a: 1 }, isSnapshot: true });
    assert.equal(changes.next({ a: 1 }, 2, false), undefined);
    assert.deepEqual(changes.next({ a: 1, b: 2 }, 3, false), { values: { b: 2 }, isSnapshot: false });
  });

  it('an empty sample yields no reading', () => {
    assert.equal(new DeltaEncoder().next({}, 0, true), undefined);
  });

  it('a number differs from the text of the same digits', () => {
    const changes = new DeltaEncoder();
    changes.next({ a: 1 }, 0, false);
    assert.deepEqual(changes.next({ a: '1' }, 1, false), { values: { a: '1' }, isSnapshot: false });
  });
});

describe('a deadband', () => {
  it('a deadband hides small changes and reports slow drifts', () => {
    const changes = new DeltaEncoder(new Map([['a', 1]]));
    changes.next({ a: 10 }, 0, false);
    assert.equal(changes.next({ a: 10.6 }, 1, false), undefined);
    assert.deepEqual(changes.next({ a: 11 }, 2, false), { values: { a: 11 }, isSnapshot: false });
    assert.equal(changes.next({ a: 10.1 }, 3, false), undefined);
  });

  it('a deadband applies to its own key and not to text', () => {
    const changes = new DeltaEncoder(
      new Map([
        ['a', 5],
        ['mode', 5],
      ]),
    );
    changes.next({ a: 1, b: 1, mode: 'x' }, 0, false);
    assert.deepEqual(changes.next({ a: 2, b: 2, mode: 'y' }, 1, false)?.values, { b: 2, mode: 'y' });
  });
});

it('carrying the last values forward restores any samples', () => {
  const value: fc.Arbitrary<Value> = fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.boolean(),
    fc.constantFrom('x', 'y'),
  );
  const sample = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value, {
    maxKeys: 4,
    noNullPrototype: true,
  });
  const step = fc.record({
    values: sample,
    afterMs: fc.integer({ min: 1, max: 120_000 }),
    isSnapshot: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const changes = new DeltaEncoder();
      let carried: Values = {};
      let atMs = 0;
      for (const { values, afterMs, isSnapshot } of steps) {
        atMs += afterMs;
        const change = changes.next(values, atMs, isSnapshot);
        if (Object.keys(values).length === 0) continue;
        carried = change?.isSnapshot ? change.values : { ...carried, ...change?.values };
        assert.deepEqual({ ...carried }, { ...values });
      }
    }),
    SEED,
  );
});

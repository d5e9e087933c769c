/** Rates of counters: wraps are counted, resets give no rate, and no rate is invented. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { CounterRates } from '../../../src/sensors/devices/counter-rates.ts';

const BYTES = 125_000_000;
const PACKETS = 1_000_000;
const SIZE = 2 ** 32;

const createRates = () => new CounterRates([BYTES, PACKETS]);

it('a rate is the count between two samples, per second', () => {
  const rates = createRates();
  assert.equal(rates.next([1000, 10], 5_000), undefined);
  assert.deepEqual(rates.next([3000, 10], 9_000), [500, 0]);
});

type Pair = readonly [bytes: number, packets: number];

/** The rate of bytes between two samples, 10 s apart by default; undefined: no rate. */
const STEPS: readonly {
  what: string;
  before: Pair;
  now: Pair;
  seconds?: number;
  perS: number | undefined;
}[] = [
  { what: 'a wrap of 32 bits', before: [SIZE - 500, 5e6], now: [500, 5e6 + 2], perS: 100 },
  { what: 'a step beyond 2^53', before: [2 ** 60, 5e6], now: [2 ** 60 + 4096, 5e6 + 2], perS: 409.6 },
  { what: 'a reset beyond 2^53', before: [2 ** 60, 5e6], now: [900, 9], perS: undefined },
  { what: 'a step back beyond 2^53', before: [2 ** 62, 5e6], now: [900, 5e6 + 2], perS: undefined },
  {
    what: 'a wrap of all counters',
    before: [SIZE - 5, SIZE - 5],
    now: [5, 5],
    perS: undefined,
  },
  { what: 'a reset', before: [3e9, 5e6], now: [2000, 20], perS: undefined },
  { what: 'a reset near the end of 32 bits', before: [SIZE - 500, 5e6], now: [9e5, 1500], perS: undefined },
  { what: 'a reset beyond 32 bits', before: [SIZE + 10, 5e6], now: [900, 9], perS: undefined },
  {
    what: 'a step back that needs more than the highest rate',
    before: [2.2e9, 5e6],
    now: [100, 5e6 + 9],
    perS: undefined,
  },
  {
    what: 'a step back from the lower half',
    before: [2e9, 5e6],
    now: [100, 5e6 + 9],
    seconds: 60,
    perS: undefined,
  },
  { what: 'a wrap beside a small counter only', before: [SIZE - 500, 3], now: [500, 12], perS: undefined },
  { what: 'a step at the highest rate', before: [1e6, 5e6], now: [1e6 + 1.25e9, 6e6], perS: 1.25e8 },
  { what: 'a step above the highest rate', before: [1e6, 5e6], now: [1e6 + 1.6e9, 6e6], perS: undefined },
  { what: 'an invalid count', before: [1000, 5e6], now: [Number.NaN, 5e6 + 2], perS: undefined },
];

for (const { what, before, now, seconds = 10, perS } of STEPS) {
  it(`${what} gives ${perS === undefined ? 'no rate' : `a rate of ${perS} per second`}`, () => {
    const rates = createRates();
    rates.next(before, 0);
    assert.equal(rates.next(now, seconds * 1000)?.[0], perS);
    if (!(now[0] <= Number.MAX_SAFE_INTEGER)) return;
    const after = rates.next([now[0] + 1000, now[1]], (seconds + 10) * 1000);
    assert.equal(after?.[0], 100, 'the next round has a rate again');
  });
}

it('a slow 32-bit counter is counted across its wrap', () => {
  const rates = new CounterRates([1100, PACKETS]);
  rates.next([SIZE - 400, 70_000], 0);
  assert.equal(rates.next([600, 70_010], 10_000)?.[0], 100);
});

it('a new device of the same name has no rate in its first sample', () => {
  const rates = createRates();
  rates.next([1000, 10], 0, '4');
  assert.equal(rates.next([9000, 90], 10_000, '5'), undefined);
  assert.deepEqual(rates.next([9100, 90], 20_000, '5'), [10, 0]);
});

it('two samples at one instant give no rate and lose no counts', () => {
  const rates = createRates();
  rates.next([0, 0], 1_000);
  assert.equal(rates.next([500, 1], 1_000), undefined);
  assert.deepEqual(rates.next([1000, 2], 2_000), [1000, 2]);
});

it('a single counter that runs back and returns costs only its own rate', () => {
  const rates = createRates();
  rates.next([4e7, 5e6], 0);
  assert.deepEqual(rates.next([2e7, 5e6 + 10], 10_000), [undefined, 1]);
  assert.deepEqual(rates.next([4e7 + 2000, 5e6 + 20], 20_000), [undefined, 1]);
  assert.deepEqual(rates.next([4e7 + 3000, 5e6 + 30], 30_000), [100, 1]);
});

it('a single counter that jumps by 2^32 and returns costs only its own rate', () => {
  const rates = createRates();
  rates.next([4e7, 5e6], 0);
  assert.deepEqual(rates.next([4e7 + SIZE, 5e6 + 10], 10_000), [undefined, 1]);
  assert.deepEqual(rates.next([4e7 + 2000, 5e6 + 20], 20_000), [undefined, 1]);
  assert.deepEqual(rates.next([4e7 + 3000, 5e6 + 30], 30_000), [100, 1]);
});

it('counters that are zero for two samples give no rate when they return', () => {
  const rates = createRates();
  rates.next([4e7, 5e6], 0);
  assert.equal(rates.next([0, 0], 10_000), undefined);
  assert.deepEqual(rates.next([0, 0], 20_000), [0, 0], 'as after a reset of an idle device');
  assert.equal(rates.next([4e7 + 3000, 5e6 + 30], 30_000), undefined);
  assert.deepEqual(rates.next([4e7 + 4000, 5e6 + 40], 40_000), [100, 1]);
});

it('a reset gives no rate of a counter that has passed its old count', () => {
  const rates = new CounterRates([BYTES, PACKETS, PACKETS]);
  rates.next([3e9, 5e6, 2000], 0);
  assert.equal(rates.next([2e6, 2000, 2500], 10_000), undefined);
});

it('a reset of a counter in the upper half of 32 bits is no wrap', () => {
  const rates = new CounterRates([BYTES, PACKETS, PACKETS]);
  rates.next([SIZE - 1e9, 5e6, 2000], 0);
  assert.equal(rates.next([2e6, 2000, 2500], 10_000), undefined);
});

it('a counter that runs back beside small ones only is a reset', () => {
  const rates = createRates();
  rates.next([3e6, 10], 0);
  assert.equal(rates.next([2e3, 12], 10_000), undefined);
});

it('a counter near 2^32 for one sample is no wrap when it returns', () => {
  const rates = new CounterRates([BYTES, PACKETS], () => 10);
  rates.next([SIZE - 1.5e9, 5e6], 0);
  rates.next([SIZE - 100, 5e6 + 10], 10_000);
  assert.deepEqual(rates.next([SIZE - 1.4e9, 5e6 + 20], 20_000), [undefined, 1]);
});

it('a counter without a rate for ten rounds is broken until it has one', () => {
  const rates = createRates();
  for (let round = 0; round <= 10; round += 1) {
    assert.equal(rates.isBroken, false);
    rates.next([4e7 - round, 5e6 + round], round * 10_000);
  }
  assert.equal(rates.isBroken, true);
  rates.next([4e7 - 5, 5e6 + 11], 110_000);
  assert.equal(rates.isBroken, false);
});

const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      is: fc.constant('step' as const),
      bytes: fc.nat(1e9),
      ms: fc.integer({ min: 1, max: 60_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('reset' as const),
      bytes: fc.nat(1e9),
      ms: fc.integer({ min: 1, max: 60_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('recreate' as const),
      bytes: fc.nat(1e9),
      ms: fc.integer({ min: 1, max: 60_000 }),
    }),
  },
);

it('a rate is correct or absent, whatever happens to the counters', () => {
  const history = fc.array(event, { minLength: 1, maxLength: 60 });
  const begin = fc.record({
    size: fc.constantFrom(2 ** 32, 2 ** 53),
    bytes: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  });
  fc.assert(
    fc.property(begin, history, ({ size, bytes }, events) => {
      const rates = new CounterRates([BYTES, PACKETS]);
      let counters = { bytes, packets: 5_000_000, index: 1 };
      let nowMs = 0;
      rates.next([counters.bytes, counters.packets], nowMs, String(counters.index));
      for (const { is, bytes: moved, ms } of events) {
        nowMs += ms;
        const continues = is === 'step';
        const index = is === 'recreate' ? counters.index + 1 : counters.index;
        const now = {
          bytes: continues ? (counters.bytes + moved) % size : moved,
          packets: continues ? counters.packets + Math.ceil(moved / 1000) : Math.ceil(moved / 1000),
          index,
        };
        const rate = rates.next([now.bytes, now.packets], nowMs, String(index))?.[0];
        const before = counters;
        counters = now;
        if (rate === undefined) continue;
        const actualPerS = (moved * 1000) / ms;
        if (is === 'step') assert.ok(Math.abs(rate - actualPerS) <= 1e-6 * actualPerS + 0.3, `${rate}`);
        // A reset that left no counter lower than it was cannot be seen, and then hides, but never adds.
        else assert.ok(is === 'reset' && before.bytes <= now.bytes && rate <= actualPerS * (1 + 1e-9), is);
      }
    }),
    { numRuns: 400 },
  );
});

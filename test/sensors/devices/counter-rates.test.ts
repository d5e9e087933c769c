/** Rates of counters: wraps are counted, resets give no rate, and no rate is invented. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { CounterRates } from '../../../src/sensors/devices/counter-rates.ts';

const BYTES = 125_000_000;
const PACKETS = 1_000_000;
const SIZE = 2 ** 32;

const createRates = () => new CounterRates({ bytes: BYTES, packets: PACKETS });

it('a rate is the count between two samples, per second', () => {
  const rates = createRates();
  assert.equal(rates.next({ bytes: 1000, packets: 10 }, 5_000), undefined);
  assert.deepEqual(rates.next({ bytes: 3000, packets: 10 }, 9_000), { bytes: 500, packets: 0 });
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
  { what: 'a wrap of 64 bits', before: [2 ** 64 - 4096, 5e6], now: [4096, 5e6 + 2], perS: 819.2 },
  { what: 'a step beyond 2^53', before: [2 ** 60, 5e6], now: [2 ** 60 + 4096, 5e6 + 2], perS: 409.6 },
  { what: 'a reset beyond 2^53', before: [2 ** 60, 5e6], now: [900, 9], perS: undefined },
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
];

for (const { what, before, now, seconds = 10, perS } of STEPS) {
  it(`${what} gives ${perS === undefined ? 'no rate' : `a rate of ${perS} per second`}`, () => {
    const rates = createRates();
    rates.next({ bytes: before[0], packets: before[1] }, 0);
    assert.equal(rates.next({ bytes: now[0], packets: now[1] }, seconds * 1000)?.bytes, perS);
    if (now[0] > Number.MAX_SAFE_INTEGER) return;
    const after = rates.next({ bytes: now[0] + 1000, packets: now[1] }, (seconds + 10) * 1000);
    assert.equal(after?.bytes, 100, 'the next round has a rate again');
  });
}

it('a slow 32-bit counter is counted across its wrap', () => {
  const rates = new CounterRates({ busyMs: 1100, requests: PACKETS });
  rates.next({ busyMs: SIZE - 400, requests: 70_000 }, 0);
  assert.equal(rates.next({ busyMs: 600, requests: 70_010 }, 10_000)?.busyMs, 100);
});

it('a new device of the same name has no rate in its first sample', () => {
  const rates = createRates();
  rates.next({ bytes: 1000, packets: 10 }, 0, '4');
  assert.equal(rates.next({ bytes: 9000, packets: 90 }, 10_000, '5'), undefined);
  assert.deepEqual(rates.next({ bytes: 9100, packets: 90 }, 20_000, '5'), { bytes: 10, packets: 0 });
});

it('two samples at one instant give no rate and lose no counts', () => {
  const rates = createRates();
  rates.next({ bytes: 0, packets: 0 }, 1_000);
  assert.equal(rates.next({ bytes: 500, packets: 1 }, 1_000), undefined);
  assert.deepEqual(rates.next({ bytes: 1000, packets: 2 }, 2_000), { bytes: 1000, packets: 2 });
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
      const rates = new CounterRates({ bytes: BYTES, packets: PACKETS });
      let counters = { bytes, packets: 5_000_000, index: 1 };
      let nowMs = 0;
      rates.next({ bytes: counters.bytes, packets: counters.packets }, nowMs, String(counters.index));
      for (const { is, bytes: moved, ms } of events) {
        nowMs += ms;
        const continues = is === 'step';
        const index = is === 'recreate' ? counters.index + 1 : counters.index;
        const now = {
          bytes: continues ? (counters.bytes + moved) % size : moved,
          packets: continues ? counters.packets + Math.ceil(moved / 1000) : Math.ceil(moved / 1000),
          index,
        };
        const rate = rates.next({ bytes: now.bytes, packets: now.packets }, nowMs, String(index));
        const before = counters;
        counters = now;
        if (rate === undefined) continue;
        const actualPerS = (moved * 1000) / ms;
        if (is === 'step')
          assert.ok(Math.abs(rate.bytes - actualPerS) <= 1e-6 * actualPerS + 0.3, `${rate.bytes}`);
        // A reset that left no counter lower than it was cannot be seen, and then hides, but never adds.
        else
          assert.ok(is === 'reset' && before.bytes <= now.bytes && rate.bytes <= actualPerS * (1 + 1e-9), is);
      }
    }),
    { numRuns: 400 },
  );
});

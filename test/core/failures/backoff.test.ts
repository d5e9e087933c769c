/** Waits: exponential, jittered over the whole range, capped, and never below the floor. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type Schedule, WAIT_MIN_MS, waitBeforeMs } from '../../../src/core/failures/backoff.ts';
import { createRandom } from '../../../src/sandbox/core/random.ts';

const SCHEDULE: Schedule = { baseMs: 2_000, capMs: 60_000 };
const SEED = { seed: 20_261_121 };

const schedules = fc.record({
  baseMs: fc.integer({ min: 1, max: 100_000 }),
  capMs: fc.integer({ min: 1, max: 4_000_000 }),
});
const samples = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('the lowest random number waits the floor at every attempt', () => {
  for (const attempt of [1, 2, 10, 1_000]) assert.equal(waitBeforeMs(SCHEDULE, attempt, 0), WAIT_MIN_MS);
});

it('the limit is the base at the first attempt and doubles with each further one', () => {
  const highest = 1 - 2 ** -53;
  const ceilings = [1, 2, 3, 4, 5].map((attempt) => waitBeforeMs(SCHEDULE, attempt, highest));
  assert.deepEqual(ceilings, [2_000, 4_000, 8_000, 16_000, 32_000]);
});

it('the limit never exceeds the cap', () => {
  for (const attempt of [6, 31, 32, 1_025, 1e9]) {
    assert.equal(waitBeforeMs(SCHEDULE, attempt, 1 - 2 ** -53), 60_000);
  }
});

it('the middle random number waits the middle of floor and limit', () => {
  assert.equal(waitBeforeMs(SCHEDULE, 1, 0.5), (WAIT_MIN_MS + 2_000) / 2);
});

it('an attempt before the first counts as the first', () => {
  assert.equal(waitBeforeMs(SCHEDULE, 0, 0.9), waitBeforeMs(SCHEDULE, 1, 0.9));
});

it('a limit below the floor waits the floor', () => {
  assert.equal(waitBeforeMs({ baseMs: 10, capMs: 100 }, 3, 0.9), WAIT_MIN_MS);
});

it('every wait is a whole number of milliseconds between the floor and the cap', () => {
  const check = (schedule: Schedule, attempt: number, random: number) => {
    const ms = waitBeforeMs(schedule, attempt, random);
    assert.ok(
      Number.isInteger(ms) && ms >= WAIT_MIN_MS && ms <= Math.max(WAIT_MIN_MS, schedule.capMs),
      `${ms}`,
    );
  };
  fc.assert(fc.property(schedules, fc.nat(), samples, check), SEED);
});

it('a higher random number or a later attempt never waits less', () => {
  const check = (schedule: Schedule, attempt: number, one: number, other: number) => {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    assert.ok(waitBeforeMs(schedule, attempt, low) <= waitBeforeMs(schedule, attempt, high));
    assert.ok(waitBeforeMs(schedule, attempt, one) <= waitBeforeMs(schedule, attempt + 1, one));
  };
  fc.assert(fc.property(schedules, fc.nat(100), samples, samples, check), SEED);
});

describe('a schedule with a plateau', () => {
  const PLATEAU: Schedule = { baseMs: 2_000, capMs: 120_000, plateau: { limitMs: 12_000, untilAttempt: 25 } };
  const highest = 1 - 2 ** -53;

  it('the limit doubles up to the plateau, stays there, then grows slowly to the cap', () => {
    const limits = [1, 2, 3, 4, 25, 26, 27, 60, 73, 1_000].map((n) => waitBeforeMs(PLATEAU, n, highest));
    assert.deepEqual(limits, [2_000, 4_000, 8_000, 12_000, 12_000, 12_600, 13_230, 66_192, 120_000, 120_000]);
  });

  it('a wait is at least a third of its limit', () => {
    assert.deepEqual(
      [1, 4, 25, 1_000].map((n) => waitBeforeMs(PLATEAU, n, 0)),
      [667, 4_000, 4_000, 40_000],
    );
  });

  it('20,000 gateways ask a closed port at most 2,700 times in any second of the plateau', () => {
    const asked = new Array<number>(200).fill(0);
    const random = createRandom(7);
    for (let gateway = 0; gateway < 20_000; gateway += 1) {
      let atMs = random() * 2_000;
      for (let attempt = 1; atMs < 180_000; attempt += 1) {
        atMs += waitBeforeMs(PLATEAU, attempt, random());
        const second = Math.floor(atMs / 1_000);
        asked[second] = (asked[second] ?? 0) + 1;
      }
    }
    const most = Math.max(...asked.slice(60, 170));
    assert.ok(most > 2_300 && most < 2_700, `${most}`);
  });
});

it('20,000 gateways that failed together return evenly over the whole range', () => {
  const semaphore = new Array<number>(10).fill(0);
  for (let gateway = 0; gateway < 20_000; gateway += 1) {
    const ms = waitBeforeMs(SCHEDULE, 6, gateway / 20_000);
    const slot = Math.min(9, Math.floor((10 * (ms - WAIT_MIN_MS)) / (60_000 - WAIT_MIN_MS)));
    semaphore[slot] = (semaphore[slot] ?? 0) + 1;
  }
  for (const gateways of semaphore) assert.ok(Math.abs(gateways - 2_000) < 10, semaphore.join(' '));
});

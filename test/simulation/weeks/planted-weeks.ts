/**
 * The simulation of weeks tested: each planted bug must turn it red within a few seeds, by the promise it breaks.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PromiseName } from './checks/ledger.ts';
import { oneWeek } from './one-week.ts';
import type { WeekPlant } from './planted-bugs.ts';
import { again } from './report.ts';

const DAYS = 2;

export interface Expectation {
  readonly plant: WeekPlant;
  readonly promise: PromiseName;
  /** The first seed to try; one that needs many is not asked from the start each time. */
  readonly from?: number;
  /** Seeds within which it must be found; the first that does is in the comment. */
  readonly seeds: number;
  readonly oftenKilled?: boolean;
}

export const EXPECTATIONS: readonly Expectation[] = [
  { plant: 'ack-before-answer', promise: 'nothing lost untold', seeds: 10 }, // 1
  { plant: 'no-fsync', promise: 'nothing lost untold', seeds: 10 }, // 1
  { plant: 'ack-one-more', promise: 'nothing lost untold', seeds: 10 }, // 1
  { plant: 'wall-dates', promise: 'dated right', seeds: 10 }, // 1
  { plant: 'delta-after-restart', promise: 'history reconstructs', from: 9, seeds: 40 }, // 10
  { plant: 'losses-not-told', promise: 'losses covered by gap records', seeds: 10 }, // 1
  { plant: 'ts-changed-on-retry', promise: 'one date', seeds: 10 }, // 1
  { plant: 'dating-begins-anew', promise: 'one date', seeds: 10, oftenKilled: true }, // 5
  { plant: 'live-repeated', promise: 'stored once', seeds: 10 }, // 3
];

export function testPlants(expectations: readonly Expectation[]): void {
  describe('a planted bug turns the weeks red', () => {
    for (const expectation of expectations) {
      const { plant, promise, seeds } = expectation;
      it(`${plant}: "${promise}" breaks within ${seeds} seeds`, async () => {
        const seed = await firstSeedThatBreaks(expectation);
        assert.ok(seed !== undefined, again(expectation.from ?? 1, { ...expectation, days: DAYS }));
      });
    }
  });
}

async function firstSeedThatBreaks({
  plant,
  promise,
  from = 1,
  seeds,
  oftenKilled,
}: Expectation): Promise<number | undefined> {
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { broken } = await oneWeek({ seed, days: DAYS, plant, oftenKilled });
    if (broken.some((each) => each.promise === promise)) return seed;
  }
  return undefined;
}

/** Tests the simulation of weeks: each planted bug must break a given promise within a few seeds. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { repetitions } from '../../repetitions.ts';
import type { PromiseName } from './checks/ledger.ts';
import { oneWeek } from './one-week.ts';
import type { DiskFault } from './plan/week-plan.ts';
import type { WeekPlant } from './planted-bugs.ts';
import { repeatCommand } from './report.ts';

const DAYS = repetitions(2, 1);

export interface Expectation {
  readonly plant: WeekPlant;
  readonly promise: PromiseName;
  /** The first seed to try, if the first ones do not find it. */
  readonly from?: number;
  /** Number of seeds within which it must be found; the comment has the first one that finds it. */
  readonly seeds: number;
  readonly oftenKilled?: boolean;
  readonly diskFault?: DiskFault;
}

export const EXPECTATIONS: readonly Expectation[] = [
  { plant: 'ack-before-answer', promise: 'no unreported loss', seeds: 10 }, // 1
  { plant: 'no-fsync', promise: 'no unreported loss', seeds: 10 }, // 1
  { plant: 'ack-one-more', promise: 'no unreported loss', seeds: 10 }, // 1
  { plant: 'wall-timestamps', promise: 'correct timestamp', seeds: 10 }, // 1
  { plant: 'delta-after-restart', promise: 'history reconstructs', from: 11, seeds: 40 }, // 11
  { plant: 'losses-not-reported', promise: 'losses covered by gap records', seeds: 10 }, // 1
  {
    plant: 'undatable-not-counted',
    promise: 'no unreported loss',
    from: 2,
    seeds: 10,
    diskFault: 'read-only',
  }, // 2
  { plant: 'failed-write-ignored', promise: 'no unreported loss', seeds: 10, diskFault: 'read-only' }, // 1
  { plant: 'ts-changed-on-retry', promise: 'one timestamp', seeds: 10 }, // 1
  {
    plant: 'timestamps-restart',
    promise: 'one timestamp',
    from: 2,
    seeds: 10,
    oftenKilled: true,
    diskFault: 'read-only',
  }, // 2
  { plant: 'undated-repeated', promise: 'stored once', from: 2, seeds: 10 }, // 2
  { plant: 'commands-forgotten', promise: 'no command run twice', from: 5, seeds: 20 }, // 5
  { plant: 'command-dropped', promise: 'no acknowledged command lost', seeds: 10 }, // 1
  { plant: 'trial-kept', promise: 'no setting that cuts off stays', seeds: 10 }, // 1
  { plant: 'trial-stored', promise: 'no setting that cuts off stays', from: 2, seeds: 10 }, // 2
];

export function testPlantedBugs(expectations: readonly Expectation[]): void {
  describe('a planted bug in the weeks', () => {
    for (const expectation of expectations) {
      const { plant, promise, seeds } = expectation;
      it(`the bug ${plant} breaks "${promise}" within ${seeds} seeds`, async () => {
        const seed = await firstSeedThatBreaks(expectation);
        assert.ok(seed !== undefined, repeatCommand(expectation.from ?? 1, { ...expectation, days: DAYS }));
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
  diskFault,
}: Expectation): Promise<number | undefined> {
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { broken } = await oneWeek({ seed, days: DAYS, plant, oftenKilled, diskFault });
    if (broken.some((each) => each.promise === promise)) return seed;
  }
  return undefined;
}

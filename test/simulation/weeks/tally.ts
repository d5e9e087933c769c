/**
 * What came of many gateways' weeks: sums, the worst of each, and the first seeds to look at.
 *
 * Plain data, so that the parts that were simulated elsewhere can be sent and joined.
 */

import type { PromiseName } from './checks/ledger.ts';
import type { WeekOutcome } from './one-week.ts';

/** Gateways with broken promises kept with their traces; more only count. */
const KEPT_MAX = 8;

export interface WeeksTally {
  gateways: number;
  samples: number;
  storedOnce: number;
  storedTwice: number;
  repeated: number;
  lost: Record<string, number>;
  overreported: number;
  unreported: number;
  excused: number;
  lives: number;
  writesWhileOnline: number;
  catchUpMsWorst: number;
  drainedMsWorst: number;
  /** Gateways with a broken promise. */
  red: number;
  broken: Partial<Record<PromiseName, number>>;
  firstRed: WeekOutcome[];
}

export function emptyTally(): WeeksTally {
  return {
    gateways: 0,
    samples: 0,
    storedOnce: 0,
    storedTwice: 0,
    repeated: 0,
    lost: {},
    overreported: 0,
    unreported: 0,
    excused: 0,
    lives: 0,
    writesWhileOnline: 0,
    catchUpMsWorst: 0,
    drainedMsWorst: 0,
    red: 0,
    broken: {},
    firstRed: [],
  };
}

export function addOutcome(tally: WeeksTally, outcome: WeekOutcome): void {
  tally.gateways += 1;
  tally.catchUpMsWorst = Math.max(tally.catchUpMsWorst, outcome.catchUpMs);
  tally.drainedMsWorst = Math.max(tally.drainedMsWorst, outcome.drainedMs);
  for (const key of SUMS) tally[key] += outcome[key];
  for (const [by, count] of outcome.lost) tally.lost[by] = (tally.lost[by] ?? 0) + count;
  for (const [promise, count] of outcome.brokenCounts) {
    tally.broken[promise] = (tally.broken[promise] ?? 0) + count;
  }
  if (outcome.broken.length === 0) return;
  tally.red += 1;
  keep(tally, [outcome]);
}

export function join(tally: WeeksTally, other: WeeksTally): void {
  tally.gateways += other.gateways;
  tally.red += other.red;
  tally.catchUpMsWorst = Math.max(tally.catchUpMsWorst, other.catchUpMsWorst);
  tally.drainedMsWorst = Math.max(tally.drainedMsWorst, other.drainedMsWorst);
  for (const key of SUMS) tally[key] += other[key];
  for (const [by, count] of Object.entries(other.lost)) tally.lost[by] = (tally.lost[by] ?? 0) + count;
  for (const [name, count] of Object.entries(other.broken)) {
    const promise = name as PromiseName;
    tally.broken[promise] = (tally.broken[promise] ?? 0) + count;
  }
  keep(tally, other.firstRed);
}

const SUMS = [
  'samples',
  'storedOnce',
  'storedTwice',
  'repeated',
  'overreported',
  'unreported',
  'excused',
  'lives',
  'writesWhileOnline',
] as const;

function keep(tally: WeeksTally, red: readonly WeekOutcome[]): void {
  const all = [...tally.firstRed, ...red].sort((one, other) => one.seed - other.seed);
  tally.firstRed = all.slice(0, KEPT_MAX);
}

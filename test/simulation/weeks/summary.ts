/**
 * The results of many gateways: sums, maxima, and the first seeds that failed. Plain data, so that workers
 * can send them.
 */

import type { PromiseName } from './checks/ledger.ts';
import type { WeekOutcome } from './one-week.ts';

/** Failed gateways that are kept with their traces; further ones are only counted. */
const FAILED_KEPT_MAX = 8;

export interface WeeksSummary {
  gateways: number;
  samples: number;
  storedOnce: number;
  storedTwice: number;
  repeated: number;
  lost: Record<string, number>;
  overreported: number;
  unreported: number;
  excused: number;
  starts: number;
  writesWhileOnline: number;
  commands: number;
  trials: number;
  interruptedTrials: number;
  catchUpMsWorst: number;
  drainedMsWorst: number;
  /** Gateways with a broken promise. */
  failed: number;
  broken: Partial<Record<PromiseName, number>>;
  firstFailed: WeekOutcome[];
}

export function emptySummary(): WeeksSummary {
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
    starts: 0,
    writesWhileOnline: 0,
    commands: 0,
    trials: 0,
    interruptedTrials: 0,
    catchUpMsWorst: 0,
    drainedMsWorst: 0,
    failed: 0,
    broken: {},
    firstFailed: [],
  };
}

export function addOutcome(summary: WeeksSummary, outcome: WeekOutcome): void {
  summary.gateways += 1;
  summary.catchUpMsWorst = Math.max(summary.catchUpMsWorst, outcome.catchUpMs);
  summary.drainedMsWorst = Math.max(summary.drainedMsWorst, outcome.drainedMs);
  for (const key of SUMS) summary[key] += outcome[key];
  for (const [by, count] of outcome.lost) summary.lost[by] = (summary.lost[by] ?? 0) + count;
  for (const [promise, count] of outcome.brokenCounts) {
    summary.broken[promise] = (summary.broken[promise] ?? 0) + count;
  }
  if (outcome.broken.length === 0) return;
  summary.failed += 1;
  keepFailed(summary, [outcome]);
}

export function join(summary: WeeksSummary, other: WeeksSummary): void {
  summary.gateways += other.gateways;
  summary.failed += other.failed;
  summary.catchUpMsWorst = Math.max(summary.catchUpMsWorst, other.catchUpMsWorst);
  summary.drainedMsWorst = Math.max(summary.drainedMsWorst, other.drainedMsWorst);
  for (const key of SUMS) summary[key] += other[key];
  for (const [by, count] of Object.entries(other.lost)) summary.lost[by] = (summary.lost[by] ?? 0) + count;
  for (const [name, count] of Object.entries(other.broken)) {
    const promise = name as PromiseName;
    summary.broken[promise] = (summary.broken[promise] ?? 0) + count;
  }
  keepFailed(summary, other.firstFailed);
}

const SUMS = [
  'samples',
  'storedOnce',
  'storedTwice',
  'repeated',
  'overreported',
  'unreported',
  'excused',
  'starts',
  'writesWhileOnline',
  'commands',
  'trials',
  'interruptedTrials',
] as const;

function keepFailed(summary: WeeksSummary, failed: readonly WeekOutcome[]): void {
  const all = [...summary.firstFailed, ...failed].sort((one, other) => one.seed - other.seed);
  summary.firstFailed = all.slice(0, FAILED_KEPT_MAX);
}

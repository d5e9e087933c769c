/**
 * Exponential back-off with full jitter, a cap and a floor, as a pure function: a fleet that failed together
 * does not return together, and no gateway retries continuously.
 */

import type { FailureReason } from './failure.ts';

export interface Schedule {
  /** Upper limit of the first wait, ms. */
  readonly baseMs: number;
  /** Upper limit of every wait, ms. */
  readonly capMs: number;
}

/** Consecutive failures of each reason. Each has its own count, so that no reason lengthens the wait of another. */
export type FailureCounts = Readonly<Partial<Record<FailureReason, number>>>;

/** `counts` with one more failure of `reason`. */
export function countFailure(counts: FailureCounts, reason: FailureReason): FailureCounts {
  return { ...counts, [reason]: (counts[reason] ?? 0) + 1 };
}

/** Shortest wait before any repetition, ms. */
export const WAIT_MIN_MS = 500;

/**
 * Wait before repetition number `attempt` (1 is the first): uniform between WAIT_MIN_MS and
 * min(capMs, baseMs * 2^(attempt-1)). `random` is in [0, 1).
 */
export function waitBeforeMs(schedule: Schedule, attempt: number, random: number): number {
  // 2^30 times any base exceeds every cap; a larger product would only lose precision.
  const doublings = Math.min(Math.max(attempt - 1, 0), 30);
  const ceilingMs = Math.min(schedule.capMs, schedule.baseMs * 2 ** doublings);
  return Math.round(WAIT_MIN_MS + random * Math.max(0, ceilingMs - WAIT_MIN_MS));
}

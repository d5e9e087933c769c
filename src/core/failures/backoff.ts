/**
 * Exponential back-off with full jitter, a cap and a floor, as a pure function: a fleet that failed together
 * does not return together, and no gateway retries continuously. A schedule with a plateau asks steadily for some minutes before
 * its waits grow: for failures that are known at once and cost the server nothing.
 */

import type { FailureReason } from './failure.ts';

export interface Schedule {
  /** Upper limit of the first wait, ms. */
  readonly baseMs: number;
  /** Upper limit of every wait, ms. */
  readonly capMs: number;
  /**
   * Up to the attempt `untilAttempt` the upper limit grows no further than `limitMs`, afterwards by a twentieth with each attempt.
   * Each wait is at least a third of its limit. Absent: the limit doubles with each attempt.
   */
  readonly plateau?: { readonly limitMs: number; readonly untilAttempt: number };
}

/** Consecutive failures of each reason. Each has its own count, so that no reason lengthens the wait of another. */
export type FailureCounts = Readonly<Partial<Record<FailureReason, number>>>;

/** `counts` with one more failure of `reason`. */
export function countFailure(counts: FailureCounts, reason: FailureReason): FailureCounts {
  return { ...counts, [reason]: (counts[reason] ?? 0) + 1 };
}

/** Shortest wait before any repetition, ms. */
export const WAIT_MIN_MS = 500;

/** Growth of the limit after a plateau, with each attempt. */
const GROWTH_AFTER_PLATEAU = 1.05;
/** The share of the limit that is the shortest wait of a schedule with a plateau. */
const PLATEAU_FLOOR = 1 / 3;

/**
 * Wait before repetition number `attempt` (1 is the first): uniform between WAIT_MIN_MS, with a plateau a third of the limit, and
 * the limit. `random` is in [0, 1).
 */
export function waitBeforeMs(schedule: Schedule, attempt: number, random: number): number {
  const ceilingMs = Math.min(schedule.capMs, limitMs(schedule, attempt));
  const floorMs = schedule.plateau ? Math.max(WAIT_MIN_MS, ceilingMs * PLATEAU_FLOOR) : WAIT_MIN_MS;
  return Math.round(floorMs + random * Math.max(0, ceilingMs - floorMs));
}

function limitMs({ baseMs, plateau }: Schedule, attempt: number): number {
  // 2^30 times any base exceeds every cap; a larger product would only lose precision.
  const doubledMs = baseMs * 2 ** Math.min(Math.max(attempt - 1, 0), 30);
  if (!plateau) return doubledMs;
  const { limitMs: plateauMs, untilAttempt } = plateau;
  if (attempt <= untilAttempt) return Math.min(plateauMs, doubledMs);
  return plateauMs * GROWTH_AFTER_PLATEAU ** Math.min(attempt - untilAttempt, 1_000);
}

/**
 * Which readings are missing at the server, without information from the gateway: one reading a second is
 * taken on a grid, so that every second without a reading shows. A gateway that had no CPU for a second takes no
 * reading in it, which is no loss: the next one tells how late a timer was.
 */

import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { readingTimes } from '../reading-times.ts';
import { isTrueWithin } from '../until.ts';

/**
 * The configuration for it, with values that change in each reading: the default deadband would leave the uptime out. The clock
 * of a container is never "synchronised".
 */
export const EVERY_SECOND = `[telemetry]
interval = "1s"
deadband = "drive*WrittenBytes=1000000"
[sensors]
on = "agentLoopDelayMs"
[clock]
trust = "system"
`;

/** A late reading keeps its second; a missed one leaves a gap of two. */
const GAP_MS_MIN = 1_700;
const GRID_MS = 1_000;
const TOLERANCE_MS = 100;
/** In total. More is not a busy machine, but an agent that blocks its own event loop. */
const EXCUSED_MS_MAX = 4_000;

export interface ReadingGrid {
  readonly readings: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** From the reading before to the reading after: longer than a second, and not explained by a late timer. */
  readonly gaps: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Seconds without a reading. */
  readonly missing: number;
  /** Readings that the gateway itself has reported as lost. */
  readonly reported: number;
}

export function readingGridOf(sandbox: Pick<Sandbox, 'points'>): ReadingGrid {
  const points = sandbox.points();
  const timestamps = readingTimes(points);
  const delays = new Map(
    points.filter(({ key }) => key === 'agentLoopDelayMs').map(({ ts, value }) => [ts, Number(value)]),
  );
  let excusedMs = 0;
  const gaps = timestamps.flatMap((toMs, index) => {
    const fromMs = timestamps[index - 1] ?? toMs;
    if (toMs - fromMs < GAP_MS_MIN) return [];
    const missedMs = toMs - fromMs - GRID_MS;
    const isLate = missedMs <= (delays.get(toMs) ?? 0) + TOLERANCE_MS;
    if (isLate && excusedMs + missedMs <= EXCUSED_MS_MAX) {
      excusedMs += missedMs;
      return [];
    }
    return [{ fromMs, toMs }];
  });
  return {
    readings: timestamps.length,
    firstMs: timestamps[0] ?? Number.NaN,
    lastMs: timestamps.at(-1) ?? Number.NaN,
    gaps,
    missing: gaps.reduce((sum, { fromMs, toMs }) => sum + Math.round((toMs - fromMs) / GRID_MS) - 1, 0),
    reported: points
      .filter(({ key }) => key === 'lostReadings')
      .reduce((sum, { value }) => sum + Number(value), 0),
  };
}

/** Waits until the readings reach `untilMs` without a gap, at most `withinMs`. */
export async function waitUntilUnbroken(
  sandbox: Sandbox,
  untilMs: number,
  withinMs: number,
): Promise<ReadingGrid> {
  await isTrueWithin(() => {
    const { gaps, lastMs } = readingGridOf(sandbox);
    return gaps.length === 0 && lastMs >= untilMs;
  }, withinMs);
  return readingGridOf(sandbox);
}

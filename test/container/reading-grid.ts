/**
 * What is missing at the server, seen without asking the gateway: a reading a second was taken on a grid, each with an uptime of its own,
 * so that every second without one shows.
 */

import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { until } from './until.ts';

/** A late reading keeps its second; a missed one leaves two. */
const GAP_MS_MIN = 1_700;
const GRID_MS = 1_000;

export interface ReadingGrid {
  readonly readings: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** From the reading before to the reading after; longer than a second and without one in between. */
  readonly gaps: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Seconds without a reading. */
  readonly missing: number;
  /** What the gateway itself told as lost. */
  readonly reported: number;
}

export function readingGridOf(sandbox: Sandbox): ReadingGrid {
  const points = sandbox.points();
  const dates = [...new Set(points.filter(({ key }) => key === 'uptimeS').map(({ ts }) => ts))].sort(
    (a, b) => a - b,
  );
  const gaps = dates.flatMap((toMs, index) => {
    const fromMs = dates[index - 1] ?? toMs;
    return toMs - fromMs >= GAP_MS_MIN ? [{ fromMs, toMs }] : [];
  });
  return {
    readings: dates.length,
    firstMs: dates[0] ?? Number.NaN,
    lastMs: dates.at(-1) ?? Number.NaN,
    gaps,
    missing: gaps.reduce((sum, { fromMs, toMs }) => sum + Math.round((toMs - fromMs) / GRID_MS) - 1, 0),
    reported: points
      .filter(({ key }) => key === 'lostReadings')
      .reduce((sum, { value }) => sum + Number(value), 0),
  };
}

/** Waits until the beat reaches `untilMs` without a gap, or as long as it may take. */
export async function requireUnbroken(
  sandbox: Sandbox,
  untilMs: number,
  withinMs: number,
): Promise<ReadingGrid> {
  await until(() => {
    const { gaps, lastMs } = readingGridOf(sandbox);
    return gaps.length === 0 && lastMs >= untilMs;
  }, withinMs);
  return readingGridOf(sandbox);
}

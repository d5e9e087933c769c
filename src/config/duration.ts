/**
 * Durations as operators write them, "500ms", "10s", "5m", "1h", "2d", to and from milliseconds.
 *
 * A whole number and one unit, nothing else: no fractions, no "1h30m", and never a bare number, since a reader
 * could take it for seconds as well as for milliseconds.
 */

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds, or undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2];
  if (unit === undefined || !isUnit(unit)) return undefined;
  return Number(match?.[1]) * UNITS_MS[unit];
}

/** In the largest unit that divides it: 90000 is "90s", 3600000 is "1h". A day is "24h"; days begin at two. */
export function formatDuration(ms: number): string {
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) {
    const leastMs = unit === 'd' ? 2 * unitMs : unitMs;
    if (ms >= leastMs && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}s`;
}

function isUnit(text: string): text is keyof typeof UNITS_MS {
  return Object.hasOwn(UNITS_MS, text);
}

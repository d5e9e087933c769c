/** Durations as text: for sentences and for settings. */

/** The units of the configuration, largest first. */
export const DURATION_UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

const UNITS = [
  ['d', DURATION_UNITS_MS.d],
  ['h', DURATION_UNITS_MS.h],
  ['min', DURATION_UNITS_MS.m],
] as const;

/** In the two largest units: `3 h 12 min`, `4 s`. */
export function formatDuration(ms: number): string {
  const at = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const large = UNITS[at];
  if (large === undefined) return `${Math.floor(ms / 1000)} s`;
  const [name, unitMs] = large;
  const [smallName, smallMs] = UNITS[at + 1] ?? ['s', 1000];
  const rest = Math.floor((ms % unitMs) / smallMs);
  return `${Math.floor(ms / unitMs)} ${name}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

/** In the largest unit with a value of at least 2, so that the error is at most a third: `2 h`, `90 s`. */
export function formatRoughDuration(ms: number): string {
  const unit = UNITS.find(([, unitMs]) => ms >= 2 * unitMs);
  return unit ? `${Math.floor(ms / unit[1])} ${unit[0]}` : `${Math.floor(ms / 1000)} s`;
}

/** As a setting, in the largest unit that divides it: 90000 is `90s`, 3600000 is `1h`. One day is `24h`. */
export function formatDurationSetting(ms: number): string {
  for (const [unit, unitMs] of Object.entries(DURATION_UNITS_MS)) {
    const leastMs = unit === 'd' ? 2 * unitMs : unitMs;
    if (ms >= leastMs && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}s`;
}

/**
 * Parses durations such as "500ms", "10s", "5m", "1h" and "2d": a whole number and one unit. A bare number is invalid, because
 * it could mean seconds or milliseconds.
 */

import { DURATION_UNITS_MS } from '../../core/model/format-duration.ts';

/** In ms; undefined if `text` is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2];
  if (unit === undefined || !isUnit(unit)) return undefined;
  return Number(match?.[1]) * DURATION_UNITS_MS[unit];
}

function isUnit(text: string): text is keyof typeof DURATION_UNITS_MS {
  return Object.hasOwn(DURATION_UNITS_MS, text);
}

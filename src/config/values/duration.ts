/**
 * Durations as operators write them, "500ms", "10s", "5m", "1h", "2d", in milliseconds.
 *
 * A whole number and one unit, nothing else: no fractions, no "1h30m", and never a bare number, since a reader
 * could take it for seconds as well as for milliseconds.
 */

import { DURATION_UNITS_MS } from '../../core/model/format-duration.ts';

/** Milliseconds, or undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2];
  if (unit === undefined || !isUnit(unit)) return undefined;
  return Number(match?.[1]) * DURATION_UNITS_MS[unit];
}

function isUnit(text: string): text is keyof typeof DURATION_UNITS_MS {
  return Object.hasOwn(DURATION_UNITS_MS, text);
}

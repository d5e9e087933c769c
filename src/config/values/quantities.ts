/**
 * Parses durations ("500ms", "10s", "5m", "1h", "2d") and sizes ("64MB", "512KiB"): a whole number and one unit. A bare number is
 * invalid, because its unit is unclear.
 */

import { DURATION_UNITS_MS } from '../../core/model/format-duration.ts';

/** KB, MB and GB are powers of 1000, KiB, MiB and GiB powers of 1024. */
const SIZE_UNITS_BYTES = { KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** In ms; undefined if `text` is not a duration. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, /^(\d{1,15})(ms|s|m|h|d)$/, DURATION_UNITS_MS);
}

/** In bytes; undefined if `text` is not a size. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, /^(\d{1,15})([KMG]i?B)$/, SIZE_UNITS_BYTES);
}

function parseQuantity(
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const [, number, unit = ''] = pattern.exec(text) ?? [];
  const factor = units[unit];
  return factor === undefined ? undefined : Number(number) * factor;
}

/**
 * Parses sizes such as "64MB" and "512KiB": a whole number and one unit. KB, MB and GB are powers of 1000, KiB, MiB and GiB
 * powers of 1024. A bare number is invalid, because its unit is unclear.
 */

const UNITS_BYTES = { KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** In bytes; undefined if `text` is not a size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15})([KMG]i?B)$/.exec(text);
  const unit = match?.[2];
  if (unit === undefined || !isUnit(unit)) return undefined;
  return Number(match?.[1]) * UNITS_BYTES[unit];
}

function isUnit(text: string): text is keyof typeof UNITS_BYTES {
  return Object.hasOwn(UNITS_BYTES, text);
}

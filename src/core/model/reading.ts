/**
 * A reading: the values of the sensors at one instant.
 *
 * Keys are camelCase, at most 64 characters; values are finite numbers with at most six decimals, booleans or
 * strings (contract section 4.2: the server stores a fraction of more than 16 decimals as a string); a value
 * that could not be read is absent, never 0 and never null.
 */

import { nonNumericText } from './numeric-text.ts';

/** One value as it is sent. */
export type Value = number | boolean | string;

/** camelCase key to value. An empty map is never delivered (contract, trap 6). */
export type Values = Readonly<Record<string, Value>>;

/** An instant by the time since boot, and by the wall clock if it is trusted. */
export interface Instant {
  /** The boot of the host. */
  readonly bootId: string;
  /** Milliseconds since that boot, suspends included. */
  readonly bootMs: number;
  /** Unix milliseconds; absent while the clock is not synchronised. Never changes once set. */
  readonly tsMs?: number;
}

/** One sample of the host, with the instant at which it was read. */
export interface Reading extends Instant {
  /** Never empty. */
  readonly values: Values;
  /** True: `values` is complete. False: it has only the changes since the previous reading. */
  readonly isSnapshot: boolean;
  /** A gap record (loss-report.ts), not a sample. */
  readonly gap?: true;
}

/**
 * Rounds to at most `decimals` (0 to 6) so that the server stores a number and not a string (contract 4.2). An
 * integer stays exact.
 */
export function round(value: number, decimals: number): number {
  if (Number.isInteger(value)) return value;
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/**
 * The largest exact integer, far below the numbers that the server stores as text (contract 4.2: beyond
 * int64).
 */
export const NUMBER_MAX = Number.MAX_SAFE_INTEGER;
/** With six decimals and below NUMBER_MAX, JSON.stringify writes every number without an exponent. */
const DECIMALS_MAX = 6;

/**
 * The values that can be delivered: numbers from -NUMBER_MAX to NUMBER_MAX, rounded to six decimals, booleans,
 * and strings, those that read as a number with their key as a prefix (numeric-text.ts). Others are omitted.
 */
export function deliverable(values: Readonly<Record<string, Value | undefined | null>>): Values {
  const result: Record<string, Value> = {};
  for (const key in values) {
    const value = values[key];
    if (value === undefined || value === null) continue;
    if (typeof value === 'boolean') result[key] = value;
    else if (typeof value === 'string') result[key] = nonNumericText(key, value);
    else if (Math.abs(value) <= NUMBER_MAX) result[key] = round(value, DECIMALS_MAX);
  }
  return result;
}

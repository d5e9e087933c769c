/**
 * A reading: what the host's sensors said at one instant, and the names a dashboard knows it by.
 *
 * Promises that every reading keeps: keys are camelCase and at most 64 characters; values are finite numbers
 * with at most six decimals, booleans or strings (contract section 4.2: a fraction of more than 16 decimals
 * would be stored as a string); what could not be read is absent, never 0 and never null.
 */

/** One value as it goes on the wire. */
export type Value = number | boolean | string;

/** camelCase key to value. An empty map is no reading and is never delivered (contract, trap 6). */
export type Values = Readonly<Record<string, Value>>;

/** An instant by the clock that never steps, and by the wall clock where that can be believed. */
export interface Instant {
  /** The boot of the host in which it was. */
  readonly bootId: string;
  /** Milliseconds since that boot, suspends included. */
  readonly bootMs: number;
  /** Unix milliseconds; absent while the host's clock is not known to be right. Once given it never changes. */
  readonly tsMs?: number;
}

/** One sample of the host on its way to the server, stamped when the values were read. */
export interface Reading extends Instant {
  /** All that was read, or only what changed since the reading before: see `full`. Never empty. */
  readonly values: Values;
  /** True: `values` is all that was read. False: every other value is still that of the reading before. */
  readonly isSnapshot: boolean;
  /** A gap record: tells of readings that were lost (core/losses.ts), and is no sample itself. */
  readonly gap?: true;
}

/**
 * Rounds to at most `decimals` (0 to 6) so that the server stores a number and not a string (contract 4.2).
 */
export function round(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/** The largest number that is exact, and far below those that the server stores as text (contract 4.2: beyond int64). */
export const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

/**
 * The values that may be delivered: numbers up to NUMBER_MAX either way, booleans, strings. Everything else is left out, silently.
 */
export function deliverable(values: Readonly<Record<string, Value | undefined | null>>): Values {
  const result: Record<string, Value> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'number' && !(Math.abs(value) <= NUMBER_MAX)) continue;
    result[key] = value;
  }
  return result;
}

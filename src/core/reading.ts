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

export interface Reading {
  /** Unix milliseconds at which the values were read. */
  readonly tsMs: number;
  readonly values: Values;
}

/**
 * Rounds to at most `decimals` (0 to 6) so that the server stores a number and not a string (contract 4.2).
 */
export function round(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/**
 * The values that may be delivered: finite numbers, booleans, strings. Everything else is left out, silently.
 */
export function deliverable(values: Readonly<Record<string, Value | undefined | null>>): Values {
  const kept: Record<string, Value> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'number' && !Number.isFinite(value)) continue;
    kept[key] = value;
  }
  return kept;
}

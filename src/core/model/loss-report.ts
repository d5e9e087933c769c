/**
 * Losses: readings that will never be delivered, added up until they can be told.
 *
 * What is told is a gap record: one element of telemetry that says how many readings are missing, from when
 * to when, and why. It travels as a reading does, is stored as one, and when it is itself pushed out of a full
 * outbox its numbers are added to the next. Bound: one sum, whatever was lost.
 */

import type { Reading, Stamp, Value, Values } from './reading.ts';

/** Why a reading will never be delivered; the words are those of the gap record. */
export type LossReason =
  /** The memory bound pushed it out. */
  | 'memory full'
  /** The spool's own bound pushed it out. */
  | 'spool full'
  /** The file system is nearly full, and newer readings pushed it out. */
  | 'disk full'
  /** Its record on the disk is torn or damaged, or its file could not be read. */
  | 'damaged'
  /** Taken in an earlier boot whose clock was never synchronised. */
  | 'undatable'
  /** The server calls it malformed, or no value of it fits a datagram. */
  | 'malformed'
  /** The server answers it, and only it, with an internal error. */
  | 'refused';

export interface Loss {
  /** At least 1. */
  readonly readings: number;
  readonly why: LossReason;
  /** Dates of the first and the last of them, Unix ms, where known. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** The keys of a gap record. */
export const GAP_KEYS = {
  readings: 'lostReadings',
  fromMs: 'lostFromMs',
  toMs: 'lostToMs',
  why: 'lostWhy',
} as const;

export class Losses {
  #readings = 0;
  #fromMs: number | undefined;
  #toMs: number | undefined;
  readonly #why = new Set<string>();
  #total = 0;

  /** Readings lost and not told yet. */
  get untold(): number {
    return this.#readings;
  }

  /** Readings lost since start. */
  get total(): number {
    return this.#total;
  }

  add({ readings, why, fromMs, toMs }: Loss): void {
    this.#total += readings;
    this.#add(readings, [why], fromMs, toMs);
  }

  /** A reading is lost; what a gap record had to tell is not lost with it. */
  addReading(reading: Reading, why: LossReason): void {
    if (reading.gap) this.#retell(reading.values);
    else this.add({ readings: 1, why, fromMs: reading.tsMs, toMs: reading.tsMs });
  }

  /** What is untold, as a gap record of just now; from then on it is told. Undefined when there is nothing to tell. */
  tell(stamp: () => Stamp): Reading | undefined {
    if (this.#readings === 0) return undefined;
    const values: Record<string, Value> = {
      [GAP_KEYS.readings]: this.#readings,
      ...(this.#fromMs !== undefined && { [GAP_KEYS.fromMs]: this.#fromMs }),
      ...(this.#toMs !== undefined && { [GAP_KEYS.toMs]: this.#toMs }),
      [GAP_KEYS.why]: [...this.#why].join(', '),
    };
    this.#readings = 0;
    this.#fromMs = undefined;
    this.#toMs = undefined;
    this.#why.clear();
    return { ...stamp(), values, full: false, gap: true };
  }

  #retell(values: Values): void {
    const number = (key: string): number | undefined => {
      const value = values[key];
      return typeof value === 'number' ? value : undefined;
    };
    const why = String(values[GAP_KEYS.why] ?? 'damaged').split(', ');
    this.#add(number(GAP_KEYS.readings) ?? 1, why, number(GAP_KEYS.fromMs), number(GAP_KEYS.toMs));
  }

  #add(readings: number, why: readonly string[], fromMs: number | undefined, toMs: number | undefined): void {
    this.#readings += readings;
    for (const word of why) this.#why.add(word);
    if (fromMs !== undefined) this.#fromMs = Math.min(this.#fromMs ?? fromMs, fromMs);
    if (toMs !== undefined) this.#toMs = Math.max(this.#toMs ?? toMs, toMs);
  }
}

/**
 * Losses: readings that will never be delivered, added up until they can be told.
 *
 * What is told is a gap record: one element of telemetry that says how many readings are missing, from when
 * to when, and why. It travels as a reading does, is stored as one, and when it is itself pushed out of a full
 * outbox its numbers are added to the next. Bound: one sum, whatever was lost.
 */

import type { Instant, Reading, Value, Values } from './reading.ts';

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
  readonly reason: LossReason;
  /** Dates of the first and the last of them, Unix ms, where known. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** The keys of a gap record. */
export const GAP_KEYS = {
  readings: 'lostReadings',
  fromMs: 'lostFromMs',
  toMs: 'lostToMs',
  reason: 'lostWhy',
} as const;

export class LossReport {
  #unreported = 0;
  #fromMs: number | undefined;
  #toMs: number | undefined;
  readonly #reasons = new Set<string>();
  #total = 0;

  /** Readings lost and not told yet. */
  get unreported(): number {
    return this.#unreported;
  }

  /** Readings lost since start. */
  get total(): number {
    return this.#total;
  }

  add({ readings, reason, fromMs, toMs }: Loss): void {
    this.#total += readings;
    this.#add(readings, [reason], fromMs, toMs);
  }

  /** A reading is lost; what a gap record had to tell is not lost with it. */
  addReading(reading: Reading, reason: LossReason): void {
    if (reading.gap) this.#addGapRecord(reading.values);
    else this.add({ readings: 1, reason, fromMs: reading.tsMs, toMs: reading.tsMs });
  }

  /** What is untold, as a gap record of just now; from then on it is told. Undefined when there is nothing to tell. */
  takeGapRecord(now: () => Instant): Reading | undefined {
    if (this.#unreported === 0) return undefined;
    const values: Record<string, Value> = {
      [GAP_KEYS.readings]: this.#unreported,
      ...(this.#fromMs !== undefined && { [GAP_KEYS.fromMs]: this.#fromMs }),
      ...(this.#toMs !== undefined && { [GAP_KEYS.toMs]: this.#toMs }),
      [GAP_KEYS.reason]: [...this.#reasons].join(', '),
    };
    this.#unreported = 0;
    this.#fromMs = undefined;
    this.#toMs = undefined;
    this.#reasons.clear();
    return { ...now(), values, isSnapshot: false, gap: true };
  }

  #addGapRecord(values: Values): void {
    const number = (key: string): number | undefined => {
      const value = values[key];
      return typeof value === 'number' ? value : undefined;
    };
    const reasons = String(values[GAP_KEYS.reason] ?? 'damaged').split(', ');
    this.#add(number(GAP_KEYS.readings) ?? 1, reasons, number(GAP_KEYS.fromMs), number(GAP_KEYS.toMs));
  }

  #add(
    readings: number,
    reasons: readonly string[],
    fromMs: number | undefined,
    toMs: number | undefined,
  ): void {
    this.#unreported += readings;
    for (const reason of reasons) this.#reasons.add(reason);
    if (fromMs !== undefined) this.#fromMs = Math.min(this.#fromMs ?? fromMs, fromMs);
    if (toMs !== undefined) this.#toMs = Math.max(this.#toMs ?? toMs, toMs);
  }
}

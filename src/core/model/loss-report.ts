/**
 * Adds up lost readings until they can be reported.
 *
 * The report is a gap record: one telemetry element with the number of missing readings, their period and the
 * causes. It is queued and stored like a reading; if it is dropped from a full outbox, its numbers are added
 * to the next one.
 */

import type { Instant, Reading, Value, Values } from './reading.ts';

/** Why a reading will never be delivered; the values of `lostWhy` in the gap record. */
export type LossReason =
  /** Dropped at the memory limit. */
  | 'memory full'
  /** Dropped at the size limit of the spool. */
  | 'spool full'
  /** Dropped for newer readings because the file system is nearly full. */
  | 'disk full'
  /** Its record on disk is damaged, or its file could not be read. */
  | 'damaged'
  /** Taken in an earlier boot whose clock was never synchronised. */
  | 'undatable'
  /** The server rejected it as malformed, or no value fits a datagram. */
  | 'malformed'
  /** The server responds to it, and only to it, with an internal error. */
  | 'refused';

export interface Loss {
  /** At least 1. */
  readonly readings: number;
  readonly reason: LossReason;
  /** Timestamps of the first and the last one, Unix ms, if known. */
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

/** No sensor may have one of them. */
export const GAP_RECORD_KEYS: ReadonlySet<string> = new Set(Object.values(GAP_KEYS));

export class LossReport {
  #unreported = 0;
  #fromMs: number | undefined;
  #toMs: number | undefined;
  readonly #reasons = new Set<string>();
  #total = 0;

  /** Lost readings that are not reported yet. */
  get unreported(): number {
    return this.#unreported;
  }

  /** Lost readings since start. */
  get total(): number {
    return this.#total;
  }

  add({ readings, reason, fromMs, toMs }: Loss): void {
    this.#total += readings;
    this.#add(readings, [reason], fromMs, toMs);
  }

  /** Adds a lost reading, or the numbers of a lost gap record. */
  addReading(reading: Reading, reason: LossReason): void {
    if (reading.gap) this.#addGapRecord(reading.values);
    else this.add({ readings: 1, reason, fromMs: reading.tsMs, toMs: reading.tsMs });
  }

  /**
   * Returns the unreported losses as a gap record and marks them as reported; undefined if there are none.
   */
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

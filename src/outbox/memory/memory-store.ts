/**
 * The store in memory: readings of this boot, oldest first. It does not survive a restart.
 *
 * Above `bytesMax` or `readingsMax` it drops the oldest readings, counts them in `losses` and makes the next
 * one full. It never drops the newest. Memory of removed readings is freed.
 */

import type { LossReport } from '../../core/model/loss-report.ts';
import type { Reading } from '../../core/model/reading.ts';
import { carryForward, toFull } from '../store/carry-forward.ts';
import type { ReadingStore } from '../store/reading-store.ts';
import { type Entry, MemoryEntries } from './entries.ts';

export interface MemoryStoreOptions {
  readonly bootId: string;
  /** Length of the readings' JSON text. */
  readonly bytesMax: number;
  readonly readingsMax: number;
  readonly losses: LossReport;
}

/** Size of an entry without its values, as JSON text: instants and flags. */
const ENTRY_BYTES = 64;

export class MemoryStore implements ReadingStore {
  readonly #options: MemoryStoreOptions;
  readonly #entries = new MemoryEntries();
  #epoch = 0;
  #offsetMs: number | undefined;
  /** A reading was lost at the head, and the next one may not be full. */
  #isAfterLoss = false;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.bytes;
  }

  get epoch(): number {
    return this.#epoch;
  }

  async append(readings: readonly Reading[]): Promise<void> {
    for (const reading of readings) this.add(reading);
  }

  /** Synchronous `append` of one reading, which need not be full. */
  add(reading: Reading): void {
    const { bytesMax, readingsMax } = this.#options;
    const entries = this.#entries;
    entries.push(this.#withTimestamp(reading), reading, ENTRY_BYTES + JSON.stringify(reading.values).length);
    while (entries.size > 1 && (entries.size > readingsMax || entries.bytes > bytesMax)) this.#dropOldest();
  }

  async take(max: number): Promise<readonly Reading[]> {
    this.#makeFullAfterLoss();
    const readings: Reading[] = [];
    while (readings.length < max) {
      const entry = this.#entries.take(({ reading }) => reading.tsMs !== undefined);
      if (!entry) break;
      readings.push(entry.reading);
    }
    return readings;
  }

  async acknowledge(count: number, epoch: number): Promise<void> {
    if (epoch !== this.#epoch) return;
    const entries = this.#entries;
    // A tombstone counts if it was taken before it became one, because the caller counts it too.
    for (let remaining = Math.min(count, entries.taken); remaining > 0; )
      if (entries.removeHead()?.isTaken) remaining -= 1;
    entries.dropDeliveredHead();
  }

  rewind(): void {
    if (this.#entries.taken > 0) this.#startEpoch();
  }

  async whenIdle(): Promise<void> {}

  async setBootOffset(offsetMs: number): Promise<void> {
    if (this.#offsetMs !== undefined) return;
    this.#offsetMs = offsetMs;
    for (const entry of this.#entries) entry.reading = this.#withTimestamp(entry.reading);
  }

  /** All unacknowledged readings as `drain` would return them; they stay. */
  list(until?: Reading): Reading[] {
    let values = this.#entries.lastValues;
    let mustBeFull = true;
    const readings: Reading[] = [];
    for (const entry of this.#entries) {
      if (until && isSameReading(entry, until)) break;
      const { reading, isTombstone } = entry;
      if (!isTombstone) {
        readings.push(mustBeFull ? toFull(values, reading) : reading);
        mustBeFull &&= reading.gap === true;
      }
      values = carryForward(values, reading);
    }
    return readings;
  }

  /**
   * Removes and returns all unacknowledged readings, taken or not, in order; the first that is not a gap
   * record is full. If the store holds `until`, it and all newer readings stay.
   */
  drain(until?: Reading): Reading[] {
    // Without readings there is nothing to void, and a new epoch would void batches of other stores.
    if (this.size === 0) return [];
    this.#startEpoch();
    const readings = this.list(until);
    const entries = this.#entries;
    for (let head = entries.head; head && !(until && isSameReading(head, until)); head = entries.head)
      entries.removeHead();
    // The lost readings came before the moved ones, which begin with a full reading.
    if (readings.some(({ gap }) => !gap)) this.#isAfterLoss = false;
    return readings;
  }

  /** The newest undelivered reading. */
  newest(): Reading | undefined {
    this.#makeFullAfterLoss();
    const entry = this.#entries.findLast(({ isTombstone }) => !isTombstone);
    if (entry) entry.original = entry.reading;
    return entry?.reading;
  }

  /** Marks this object as delivered: it is not taken or drained again. */
  markDelivered(reading: Reading): void {
    const entry = this.#entries.findLast((each) => !each.isTombstone && isSameReading(each, reading));
    if (entry) this.#entries.markDelivered(entry);
  }

  /** When the oldest undelivered reading was sampled, ms since the boot. */
  oldestBootMs(): number | undefined {
    for (const { reading, isTombstone } of this.#entries) if (!isTombstone) return reading.bootMs;
    return undefined;
  }

  #withTimestamp(reading: Reading): Reading {
    if (this.#offsetMs === undefined || reading.tsMs !== undefined) return reading;
    if (reading.bootId !== this.#options.bootId) return reading;
    return { ...reading, tsMs: reading.bootMs + this.#offsetMs };
  }

  #dropOldest(): void {
    this.rewind();
    this.#entries.dropDeliveredHead();
    const entry = this.#entries.removeHead();
    if (!entry) return;
    this.#options.losses.addReading(entry.reading, 'memory full');
    if (!entry.reading.gap) this.#isAfterLoss = true;
    this.#entries.dropDeliveredHead();
  }

  #startEpoch(): void {
    this.#entries.rewind();
    this.#epoch += 1;
  }

  /** The first sample after a loss must be full, because readers have no earlier values to carry forward. */
  #makeFullAfterLoss(): void {
    if (!this.#isAfterLoss) return;
    let { lastValues } = this.#entries;
    for (const entry of this.#entries) {
      if (entry.reading.gap) continue;
      if (!entry.isTombstone) {
        entry.reading = toFull(lastValues, entry.reading);
        this.#isAfterLoss = false;
        return;
      }
      lastValues = carryForward(lastValues, entry.reading);
    }
  }
}

function isSameReading(entry: Entry, reading: Reading): boolean {
  return entry.reading === reading || entry.original === reading;
}

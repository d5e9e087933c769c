/**
 * The outbox in memory: readings waiting for delivery, oldest first.
 *
 * Bound: `readingsMax` (8,640 is a day at one reading in ten seconds, about 4 MB). When it is full the oldest
 * reading goes and is counted. What is in here does not survive a restart; the disk outbox is another file of
 * this room.
 */

import type { Outbox } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';

export const READINGS_MAX = 8_640;

/**
 * An acknowledged head longer than this is cut off, so that memory is given back without copying at every
 * step.
 */
const COMPACT_AT = 1_024;

export class RamOutbox implements Outbox {
  readonly #readingsMax: number;
  #readings: (Reading | undefined)[] = [];
  #head = 0;
  #dropped = 0;
  /**
   * Readings dropped since the last peek: they were the oldest of it, and must not be acknowledged a second
   * time.
   */
  #droppedSincePeek = 0;
  #waiters = new Set<() => void>();

  constructor(readingsMax: number = READINGS_MAX) {
    this.#readingsMax = readingsMax;
  }

  get size(): number {
    return this.#readings.length - this.#head;
  }

  get dropped(): number {
    return this.#dropped;
  }

  append(reading: Reading): void {
    if (this.size >= this.#readingsMax) {
      this.#remove(1);
      this.#dropped += 1;
      this.#droppedSincePeek += 1;
    }
    this.#readings.push(reading);
    for (const wake of this.#waiters) wake();
  }

  peek(max: number): readonly Reading[] {
    this.#droppedSincePeek = 0;
    return this.#readings.slice(this.#head, this.#head + max) as Reading[];
  }

  /** Of the `count` first readings of the last peek, removes those that were not dropped in the meantime. */
  acknowledge(count: number): void {
    this.#remove(Math.max(0, count - this.#droppedSincePeek));
    this.#droppedSincePeek = 0;
  }

  #remove(count: number): void {
    for (let index = 0; index < count && this.#head < this.#readings.length; index += 1) {
      this.#readings[this.#head] = undefined;
      this.#head += 1;
    }
    if (this.#head >= COMPACT_AT) {
      this.#readings = this.#readings.slice(this.#head);
      this.#head = 0;
    }
  }

  async waitForReading(signal: AbortSignal): Promise<void> {
    if (this.size > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiters.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

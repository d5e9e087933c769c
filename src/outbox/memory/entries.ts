/**
 * The entries of the store in memory, oldest first: which are taken, which are delivered, their number and
 * size, and all values after the last entry that was removed.
 *
 * A tombstone is an entry that was delivered out of order. It is not counted and not taken again, but stays
 * until it is the head, because the entries behind it build upon its values.
 */

import type { Reading, Values } from '../../core/model/reading.ts';
import { carryForward } from '../store/carry-forward.ts';
import { Deque } from './deque.ts';

export interface Entry {
  reading: Reading;
  /** The object that a caller holds: `reading` before it got a timestamp or became full. */
  original: Reading;
  readonly bytes: number;
  isTaken: boolean;
  isTombstone: boolean;
}

export class MemoryEntries {
  readonly #entries = new Deque<Entry>();
  /** Index of the first entry that is not taken; all before it are taken, or tombstones. */
  #next = 0;
  #taken = 0;
  #size = 0;
  #bytes = 0;
  #lastValues: Values = {};

  /** Undelivered entries. */
  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get taken(): number {
    return this.#taken;
  }

  /** All values after the last removed entry. */
  get lastValues(): Values {
    return this.#lastValues;
  }

  get head(): Entry | undefined {
    return this.#entries.at(0);
  }

  findLast(predicate: (entry: Entry) => boolean): Entry | undefined {
    return this.#entries.findLast(predicate);
  }

  /** The oldest first, tombstones included. */
  [Symbol.iterator](): Iterator<Entry> {
    return this.#entries[Symbol.iterator]();
  }

  push(reading: Reading, original: Reading, bytes: number): void {
    this.#entries.push({ reading, original, bytes, isTaken: false, isTombstone: false });
    this.#size += 1;
    this.#bytes += bytes;
  }

  /** Takes the next entry, if it is ready. */
  take(isReady: (entry: Entry) => boolean): Entry | undefined {
    let entry = this.#entries.at(this.#next);
    for (; entry?.isTombstone; entry = this.#entries.at(this.#next)) this.#next += 1;
    if (!entry || !isReady(entry)) return undefined;
    entry.isTaken = true;
    this.#next += 1;
    this.#taken += 1;
    return entry;
  }

  /** Makes all taken entries available again. */
  rewind(): void {
    for (let index = 0; index < this.#next; index += 1) {
      const entry = this.#entries.at(index);
      if (entry) entry.isTaken = false;
    }
    this.#next = 0;
    this.#taken = 0;
    this.dropDeliveredHead();
  }

  /** Removes the head, delivered or not. */
  removeHead(): Entry | undefined {
    const entry = this.#entries.shift();
    if (!entry) return undefined;
    this.#next = Math.max(0, this.#next - 1);
    if (entry.isTaken) this.#taken -= 1;
    if (!entry.isTombstone) this.#size -= 1;
    this.#bytes -= entry.bytes;
    this.#lastValues = carryForward(this.#lastValues, entry.reading);
    return entry;
  }

  markDelivered(entry: Entry): void {
    entry.isTombstone = true;
    this.#size -= 1;
    this.dropDeliveredHead();
  }

  /** Removes tombstones at the head, except taken ones, which an acknowledgement will count. */
  dropDeliveredHead(): void {
    for (let head = this.head; head?.isTombstone && !head.isTaken; head = this.head) this.removeHead();
  }
}

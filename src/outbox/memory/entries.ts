/**
 * The entries of the store in memory, oldest first: which were taken, which are at the server already, what all of
 * them count and weigh, and what all values were after the last that left at the head.
 *
 * A tombstone is an entry that was delivered out of its turn: it neither counts nor comes again, but its values still
 * hold for those behind it, so it stays until the head reaches it.
 */

import type { Reading, Values } from '../../core/model/reading.ts';
import { carryForward } from '../store/carry-forward.ts';
import { Deque } from './deque.ts';

export interface Entry {
  reading: Reading;
  /** The object by which a caller knows it: `reading` before it was dated or made full. */
  original: Reading;
  readonly bytes: number;
  isTaken: boolean;
  isTombstone: boolean;
}

export class MemoryEntries {
  readonly #entries = new Deque<Entry>();
  /** Place of the first that was not taken; all before it were, or are tombstones. */
  #next = 0;
  #taken = 0;
  #size = 0;
  #bytes = 0;
  #lastValues: Values = {};

  /** Those that are not at the server. */
  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get taken(): number {
    return this.#taken;
  }

  /** All values after the last one that left. */
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

  /** The next one to be taken is, if it is `ready`. */
  take(isReady: (entry: Entry) => boolean): Entry | undefined {
    let entry = this.#entries.at(this.#next);
    for (; entry?.isTombstone; entry = this.#entries.at(this.#next)) this.#next += 1;
    if (!entry || !isReady(entry)) return undefined;
    entry.isTaken = true;
    this.#next += 1;
    this.#taken += 1;
    return entry;
  }

  /** All that were taken will be taken again. */
  rewind(): void {
    for (let index = 0; index < this.#next; index += 1) {
      const entry = this.#entries.at(index);
      if (entry) entry.isTaken = false;
    }
    this.#next = 0;
    this.#taken = 0;
    this.dropDeliveredHead();
  }

  /** The head leaves, whatever becomes of it. */
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

  /** Tombstones at the head leave, but those that were taken: an acknowledgement will count them. */
  dropDeliveredHead(): void {
    for (let head = this.head; head?.isTombstone && !head.isTaken; head = this.head) this.removeHead();
  }
}

/**
 * Keeps the newest `max` entries and counts all. To drop an entry cheaply it moves the start index, and cuts
 * the array when half of it has been dropped.
 */

export class BoundedLog<T> {
  readonly #max: number;
  readonly #onDropped: (entry: T) => void;
  #entries: T[] = [];
  #start = 0;
  #total = 0;

  constructor(max: number, onDropped: (entry: T) => void = () => undefined) {
    this.#max = max;
    this.#onDropped = onDropped;
  }

  push(entry: T): void {
    this.#entries.push(entry);
    this.#total += 1;
    if (this.size <= this.#max) return;
    const oldest = this.#entries[this.#start];
    this.#start += 1;
    if (oldest !== undefined) this.#onDropped(oldest);
    if (this.#start * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Oldest first. */
  filter(predicate: (entry: T) => boolean): readonly T[] {
    return this.#entries.filter((entry, index) => index >= this.#start && predicate(entry));
  }

  /** Number of entries kept. */
  get size(): number {
    return this.#entries.length - this.#start;
  }

  /** Number of entries ever pushed. */
  get total(): number {
    return this.#total;
  }
}

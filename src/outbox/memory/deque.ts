/**
 * A queue with access by index; push and shift take constant time on average (`Array.shift` moves all items).
 *
 * Items that have left are not kept alive, and their slots are freed.
 */

/** Fewer free slots than this are not worth a copy. */
const COMPACT_AT = 1_024;

export class Deque<T> {
  #slots: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#slots.length - this.#head;
  }

  push(item: T): void {
    this.#slots.push(item);
  }

  /** The item at `index`, counted from the head; undefined beyond the end. */
  at(index: number): T | undefined {
    return this.#slots[this.#head + index];
  }

  /** Removes the head. */
  shift(): T | undefined {
    const item = this.#slots[this.#head];
    if (this.length === 0) return undefined;
    this.#slots[this.#head] = undefined;
    this.#head += 1;
    const isEmpty = this.length === 0;
    // Copies at most as many items as have left since the last copy.
    if (isEmpty || (this.#head >= COMPACT_AT && this.#head >= this.length)) {
      this.#slots = isEmpty ? [] : this.#slots.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The newest item that matches. */
  findLast(predicate: (item: T) => boolean): T | undefined {
    for (let index = this.length - 1; index >= 0; index -= 1) {
      const item = this.at(index);
      if (item !== undefined && predicate(item)) return item;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let index = 0; index < this.length; index += 1) {
      const item = this.at(index);
      if (item !== undefined) yield item;
    }
  }
}

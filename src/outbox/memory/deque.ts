/**
 * A queue that is read by position: in at the end, out at the head, each in constant time over the long run.
 *
 * What has left is not kept alive, and the memory of its places is given back. `Array.shift` moves all others.
 */

/** A departed head shorter than this is not worth cutting off. */
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

  /** The item `index` places behind the head; undefined beyond the end. */
  at(index: number): T | undefined {
    return this.#slots[this.#head + index];
  }

  /** The head leaves. */
  shift(): T | undefined {
    const item = this.#slots[this.#head];
    if (this.length === 0) return undefined;
    this.#slots[this.#head] = undefined;
    this.#head += 1;
    const isEmpty = this.length === 0;
    // Never more to copy than has left since the last time.
    if (isEmpty || (this.#head >= COMPACT_AT && this.#head >= this.length)) {
      this.#slots = isEmpty ? [] : this.#slots.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The newest that is so. */
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

/**
 * Remembers recent timestamps so that none is used twice: on the server, a reading of the same millisecond
 * overwrites the other. A timestamp can repeat only after the clock was set back; then the next free
 * millisecond is used. Remembers the last 4096 (32 KiB; eleven hours at 10 s), undated readings with their
 * future timestamps included.
 */

const CAPACITY = 4096;

export class UniqueTimestamps {
  /** Timestamps; before the boot offset is set, times since boot, ms. */
  readonly #times = new Float64Array(CAPACITY).fill(Number.NaN);
  #next = 0;
  /** The greatest of them; a later one is free without a search. */
  #greatestMs = Number.NEGATIVE_INFINITY;

  /** Adds an undated reading. */
  addUndated(bootMs: number): void {
    this.#add(bootMs);
  }

  /** Dates the undated readings. */
  setBootOffset(offsetMs: number): void {
    for (const [index, bootMs] of this.#times.entries()) this.#times[index] = Math.round(bootMs + offsetMs);
    this.#greatestMs = Math.round(this.#greatestMs + offsetMs);
  }

  /** Reserves `tsMs`, or the first free millisecond after it. */
  reserve(tsMs: number): number {
    let free = tsMs;
    while (free <= this.#greatestMs && this.#times.includes(free)) free += 1;
    this.#add(free);
    return free;
  }

  #add(timeMs: number): void {
    this.#times[this.#next] = timeMs;
    this.#greatestMs = Math.max(this.#greatestMs, timeMs);
    this.#next = (this.#next + 1) % CAPACITY;
  }
}

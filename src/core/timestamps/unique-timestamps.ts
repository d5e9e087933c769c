/**
 * The dates given lately, so that none is given twice: on the server a reading of the same millisecond overwrites the other.
 *
 * Between two steps of the clock dates rise by themselves; only after it was set back can one come again, and then it is
 * given one millisecond later. Remembered are the last 4096 (32 KiB; eleven hours at ten seconds), the undated ones with the
 * dates they will get.
 */

const CAPACITY = 4096;

export class UniqueTimestamps {
  /** Dates; while none can be given, times since boot. */
  readonly #times = new Float64Array(CAPACITY).fill(Number.NaN);
  #next = 0;

  /** A reading goes without a date, for now. */
  addUndated(bootMs: number): void {
    this.#add(bootMs);
  }

  /** Those that went without are dated so. */
  setBootOffset(offsetMs: number): void {
    for (const [index, bootMs] of this.#times.entries()) this.#times[index] = Math.round(bootMs + offsetMs);
  }

  /** The date, or the first one after it that is not taken; taken from now on. */
  reserve(tsMs: number): number {
    let free = tsMs;
    while (this.#times.includes(free)) free += 1;
    this.#add(free);
    return free;
  }

  #add(timeMs: number): void {
    this.#times[this.#next] = timeMs;
    this.#next = (this.#next + 1) % CAPACITY;
  }
}

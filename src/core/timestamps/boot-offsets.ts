/**
 * The clock offsets of one boot of the host, shared by all its processes: the first one, which dates readings
 * taken before the clock was synchronised, and the one accepted last, with which the next process continues.
 * An offset is saved before anything is dated by it.
 */

import type { OffsetMemory } from '../ports/clock.ts';

/** Maximum difference between the saved and the accepted offset, ms. */
const SAVE_TOLERANCE_MS = 100;

export class BootOffsets {
  readonly #memory: Pick<OffsetMemory, 'save'> | undefined;
  #firstMs: number | undefined;
  #savedMs = Number.NaN;

  constructor(memory: Pick<OffsetMemory, 'save'> | undefined) {
    this.#memory = memory;
  }

  /** Never changes once it is set. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** Restores the first offset of an earlier process. Call before the first `accept`. */
  restore(firstMs: number): void {
    this.#firstMs ??= firstMs;
  }

  /**
   * `isConfirmed`: by a time service. Otherwise the next process must not accept the offset without a check.
   */
  accept(acceptedMs: number, isConfirmed: boolean): void {
    this.#firstMs ??= acceptedMs;
    const savedMs = isConfirmed ? acceptedMs : this.#firstMs;
    if (Math.abs(savedMs - this.#savedMs) <= SAVE_TOLERANCE_MS) return;
    this.#savedMs = savedMs;
    this.#memory?.save({ firstMs: this.#firstMs, ...(isConfirmed && { believedMs: acceptedMs }) });
  }
}

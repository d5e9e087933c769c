/**
 * The clock offsets of one boot of the host, shared by all its processes: the first one, which dates readings
 * taken before the clock was synchronised, and the one accepted last, with which the next process continues.
 * An offset is saved before anything is dated by it.
 */

import type { Clock, OffsetMemory } from '../ports/clock.ts';

/** Maximum difference between the saved and the accepted offset, ms. */
const SAVE_TOLERANCE_MS = 100;
/** Maximum age of the saved offsets while the agent runs, ms: the next process infers the drift since then. */
const SAVE_EVERY_MS = 3_600_000;

export class BootOffsets {
  readonly #memory: Pick<OffsetMemory, 'save'> | undefined;
  readonly #clock: Pick<Clock, 'bootMs'>;
  #firstMs: number | undefined;
  #savedMs = Number.NaN;
  #savedBootMs = Number.NEGATIVE_INFINITY;

  constructor(memory: Pick<OffsetMemory, 'save'> | undefined, clock: Pick<Clock, 'bootMs'>) {
    this.#memory = memory;
    this.#clock = clock;
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
    const savedBootMs = Math.round(this.#clock.bootMs());
    const isRecent = savedBootMs - this.#savedBootMs < SAVE_EVERY_MS;
    if (isRecent && Math.abs(savedMs - this.#savedMs) <= SAVE_TOLERANCE_MS) return;
    this.#savedMs = savedMs;
    this.#savedBootMs = savedBootMs;
    this.#memory?.save({
      firstMs: this.#firstMs,
      ...(isConfirmed && { believedMs: acceptedMs, savedBootMs }),
    });
  }
}

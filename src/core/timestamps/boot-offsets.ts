/**
 * The offsets of one boot of the host, over all processes of it: the first one, which dates what was read before the clock was
 * right, and the one believed last, with which the next process goes on.
 *
 * What is believed is kept before anything is dated by it, and again when it has moved by more than `KEPT_WITHIN_MS`.
 */

import type { OffsetMemory } from '../ports/clock.ts';

/** How far what is kept for the next process may lag behind what this one follows, ms. */
const SAVE_TOLERANCE_MS = 100;

export class BootOffsets {
  readonly #memory: Pick<OffsetMemory, 'save'> | undefined;
  #firstMs: number | undefined;
  #savedMs = Number.NaN;

  constructor(memory: Pick<OffsetMemory, 'save'> | undefined) {
    this.#memory = memory;
  }

  /** Never changes once it is known. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** What an earlier process found; only before the first `believe`. */
  restore(firstMs: number): void {
    this.#firstMs ??= firstMs;
  }

  /** `isVouched`: a time service stands for it. Else the next process must not believe it unasked. */
  accept(acceptedMs: number, isConfirmed: boolean): void {
    this.#firstMs ??= acceptedMs;
    const savedMs = isConfirmed ? acceptedMs : this.#firstMs;
    if (Math.abs(savedMs - this.#savedMs) <= SAVE_TOLERANCE_MS) return;
    this.#savedMs = savedMs;
    this.#memory?.save({ firstMs: this.#firstMs, ...(isConfirmed && { believedMs: acceptedMs }) });
  }
}

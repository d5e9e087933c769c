/**
 * The offsets of one boot of the host, over all processes of it: the first one, which dates what was read before the clock was
 * right, and the one believed last, with which the next process goes on.
 *
 * What is believed is kept before anything is dated by it, and again when it has moved by more than `KEPT_WITHIN_MS`.
 */

import type { OffsetMemory } from '../ports/clock.ts';

/** How far what is kept for the next process may lag behind what this one follows, ms. */
const KEPT_WITHIN_MS = 100;

export class BootOffsets {
  readonly #memory: Pick<OffsetMemory, 'keep'> | undefined;
  #firstMs: number | undefined;
  #keptMs = Number.NaN;

  constructor(memory: Pick<OffsetMemory, 'keep'> | undefined) {
    this.#memory = memory;
  }

  /** Never changes once it is known. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** What an earlier process found; only before the first `believe`. */
  recall(firstMs: number): void {
    this.#firstMs ??= firstMs;
  }

  /** `isVouched`: a time service stands for it. Else the next process must not believe it unasked. */
  believe(believedMs: number, isVouched: boolean): void {
    this.#firstMs ??= believedMs;
    const keptMs = isVouched ? believedMs : this.#firstMs;
    if (Math.abs(keptMs - this.#keptMs) <= KEPT_WITHIN_MS) return;
    this.#keptMs = keptMs;
    this.#memory?.keep({ firstMs: this.#firstMs, ...(isVouched && { believedMs }) });
  }
}

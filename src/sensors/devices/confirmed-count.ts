/**
 * A count since the start of the host or of a device, such as bytes written: it never decreases. A sample that
 * is lower than the previous one, or higher than it can be, is left out, because a counter can be wrong for
 * one sample, and 0 on a dashboard looks like a restart. The next sample decides: a counter that did start
 * again counts on from there.
 */

import { BURST_S } from './counter-rates.ts';

export class ConfirmedCount {
  readonly #perSMax: number;
  #count: number | undefined;
  #atMs = 0;

  /** The highest rate per second of the count. */
  constructor(perSMax: number) {
    this.#perSMax = perSMax;
  }

  /** The count; undefined if it does not follow from the previous sample. */
  next(count: number, atMs: number): number | undefined {
    const previous = this.#count;
    const seconds = (atMs - this.#atMs) / 1000;
    this.#count = count;
    this.#atMs = atMs;
    if (previous === undefined) return count;
    const step = count - previous;
    return step >= 0 && step <= this.#perSMax * (seconds + BURST_S) ? count : undefined;
  }
}

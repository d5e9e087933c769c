/**
 * The devices a collector found. They are searched at the first use, after `invalidate` and every five
 * minutes, because drivers load late and devices are plugged in and out. Samples in between list no
 * directory, not even those of a device that fails each time.
 */

import type { MonotonicClock } from '../runtime/collector.ts';

export const DISCOVERY_INTERVAL_MS = 300_000;
/** The shortest time between two searches that `invalidate` caused. */
const INVALIDATION_INTERVAL_MS = 60_000;

export class Discovery<T> {
  readonly #clock: MonotonicClock;
  readonly #find: () => T;
  #last: { readonly current: T; readonly staleAtMs: number } | undefined;
  #isInvalid = false;
  #nextInvalidationMs = Number.NEGATIVE_INFINITY;

  constructor(clock: MonotonicClock, find: () => T) {
    this.#clock = clock;
    this.#find = find;
  }

  /** The current devices. Throws if the search fails; the next access searches again. */
  get current(): T {
    const nowMs = this.#clock.monotonicMs();
    const isDueEarly = this.#isInvalid && nowMs >= this.#nextInvalidationMs;
    if (this.#last === undefined || isDueEarly || nowMs >= this.#last.staleAtMs) {
      if (isDueEarly) this.#nextInvalidationMs = nowMs + INVALIDATION_INTERVAL_MS;
      this.#isInvalid = false;
      this.#last = undefined;
      this.#last = { current: this.#find(), staleAtMs: nowMs + DISCOVERY_INTERVAL_MS };
    }
    return this.#last.current;
  }

  /**
   * A device is missing or has disappeared: the next access searches again, or one within a minute if this
   * happens more often.
   */
  invalidate(): void {
    this.#isInvalid = true;
  }
}

/**
 * The devices a collector found. They are searched at the first use, after `invalidate` and every five
 * minutes, because drivers load late and devices are plugged in and out. Samples in between list no
 * directory.
 */

import type { MonotonicClock } from '../runtime/collector.ts';

export const DISCOVERY_INTERVAL_MS = 300_000;

export class Discovery<T> {
  readonly #clock: MonotonicClock;
  readonly #find: () => T;
  #last: { readonly current: T; readonly staleAtMs: number } | undefined;

  constructor(clock: MonotonicClock, find: () => T) {
    this.#clock = clock;
    this.#find = find;
  }

  /** The current devices. Throws if the search fails; the next access searches again. */
  get current(): T {
    const nowMs = this.#clock.monotonicMs();
    if (this.#last === undefined || nowMs >= this.#last.staleAtMs) {
      this.#last = undefined;
      this.#last = { current: this.#find(), staleAtMs: nowMs + DISCOVERY_INTERVAL_MS };
    }
    return this.#last.current;
  }

  /** A device has disappeared: the next access searches again. */
  invalidate(): void {
    this.#last = undefined;
  }
}

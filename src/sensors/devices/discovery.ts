/**
 * Discovery: what a collector found on the host, looked for when it is first asked and again every five minutes, because drivers
 * load late and things are plugged in and out. In between a sample lists no directory.
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

  /** What is there. Throws what looking throws, and looks again when it is asked again. */
  get current(): T {
    const nowMs = this.#clock.monotonicMs();
    if (this.#last === undefined || nowMs >= this.#last.staleAtMs) {
      this.#last = undefined;
      this.#last = { current: this.#find(), staleAtMs: nowMs + DISCOVERY_INTERVAL_MS };
    }
    return this.#last.current;
  }

  /** Something of it is gone: the next one to ask has it looked for. */
  invalidate(): void {
    this.#last = undefined;
  }
}

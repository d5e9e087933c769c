/**
 * The failures of devices, each until the device has been read again. A device that fails and then disappears,
 * as one with a loose contact does, has not been repaired; after an hour it counts as removed.
 */

import type { MonotonicClock } from '../runtime/collector.ts';

const REMOVED_AFTER_MS = 3_600_000;

export class UnresolvedFailures {
  readonly #clock: MonotonicClock;
  readonly #failures = new Map<string, { readonly reason: Error; readonly atMs: number }>();

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  /** By device, or by whatever else fails by itself. */
  get reasons(): ReadonlyMap<string, Error> {
    const nowMs = this.#clock.monotonicMs();
    for (const [id, { atMs }] of this.#failures) {
      if (nowMs - atMs >= REMOVED_AFTER_MS) this.#failures.delete(id);
    }
    return new Map([...this.#failures].map(([id, { reason }]) => [id, reason]));
  }

  fail(id: string, reason: Error): void {
    this.#failures.set(id, { reason, atMs: this.#clock.monotonicMs() });
  }

  resolve(id: string): void {
    this.#failures.delete(id);
  }
}

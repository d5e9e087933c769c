/**
 * Stir: whatever may give delivery something to do, and the wait for it, which misses nothing.
 *
 * It counts what happens inside delivery (an answer, a fetched batch, facts that are ready) and looks at the outbox's own
 * count; who waits says up to which counts he has seen. A wait leaves neither a listener nor a sleeper behind.
 */

import { LinkedAbort } from './linked-abort.ts';
import type { Clock, Outbox } from './ports.ts';

export interface Seen {
  /** The outbox's. */
  readonly version: number;
  /** Ours. */
  readonly count: number;
  /** Something is due then by itself, monotonic ms; Infinity: nothing. */
  readonly dueMs: number;
}

export class Stir {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  #count = 0;
  #wake: () => void = () => {};

  constructor({ clock, outbox }: { readonly clock: Clock; readonly outbox: Outbox }) {
    this.#clock = clock;
    this.#outbox = outbox;
  }

  get count(): number {
    return this.#count;
  }

  happened(): void {
    this.#count += 1;
    this.#wake();
  }

  async wait({ version, count, dueMs }: Seen, signal: AbortSignal): Promise<void> {
    if (count !== this.#count) return;
    using wait = new LinkedAbort(signal);
    this.#wake = () => wait.abort();
    const ends = [this.#outbox.waitForChange(version, wait.signal)];
    if (dueMs < Number.POSITIVE_INFINITY) {
      // Never less than a millisecond: what is due at this instant must not keep the loop from others.
      ends.push(this.#clock.sleep(Math.max(1, dueMs - this.#clock.monotonicMs()), wait.signal));
    }
    await Promise.race(ends);
    wait.abort();
    this.#wake = () => {};
  }
}

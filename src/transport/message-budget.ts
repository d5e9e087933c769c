/** Limits how many messages of the server the agent handles: a burst, then a few a second. */

import type { Clock } from '../core/ports/clock.ts';

/** One command or change each; more at once come from a script or an attack. */
const BURST = 32;
/** One more message after each, ms. */
const REFILL_MS = 250;

export class MessageBudget {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #onExhausted: () => void;
  /** When the whole burst is available again, monotonic ms. */
  #fullAtMs = Number.NEGATIVE_INFINITY;

  /** `onExhausted` is called for each message over the limit. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, onExhausted: () => void) {
    this.#clock = clock;
    this.#onExhausted = onExhausted;
  }

  /** True if one more message may be handled now; it counts. */
  take(): boolean {
    if (this.waitMs > 0) {
      this.#onExhausted();
      return false;
    }
    this.#fullAtMs = Math.max(this.#fullAtMs, this.#clock.monotonicMs()) + REFILL_MS;
    return true;
  }

  /** Until the next message may be handled, ms; 0: now. */
  get waitMs(): number {
    return Math.max(0, this.#fullAtMs - this.#clock.monotonicMs() - (BURST - 1) * REFILL_MS);
  }
}

/**
 * Delivery counters for the agent's own sensor. They live as long as the process, so that a configuration
 * reload does not reset them.
 */

export class DeliveryCounters {
  #deliveredBefore = 0;
  #current: () => number = () => 0;
  #roundTripMs: number | undefined;

  /** Readings the server accepted since the agent started. */
  get delivered(): number {
    return this.#deliveredBefore + this.#current();
  }

  /** Round trip of the last request that was sent only once, ms; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Replaces the previous delivery, which has ended. `delivered` returns the readings of the new one. */
  startDelivery(delivered: () => number): void {
    this.#deliveredBefore = this.delivered;
    this.#current = delivered;
  }

  recordRoundTrip(roundTripMs: number): void {
    this.#roundTripMs = roundTripMs;
  }
}

/**
 * The tally: what the loops know of their own work, for the agent's own sensor. It lives as long as the process, so that a
 * configuration that is read again does not begin it anew.
 */

export class DeliveryCounters {
  #deliveredBefore = 0;
  #current: () => number = () => 0;
  #roundTripMs: number | undefined;

  /** Readings the server accepted since the agent started. */
  get delivered(): number {
    return this.#deliveredBefore + this.#current();
  }

  /** From the last request that was sent once to the server's first word about it, ms; undefined before there is one. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** A delivery begins, and says how many readings it has delivered; the one before it has ended. */
  startDelivery(delivered: () => number): void {
    this.#deliveredBefore = this.delivered;
    this.#current = delivered;
  }

  recordRoundTrip(roundTripMs: number): void {
    this.#roundTripMs = roundTripMs;
  }
}

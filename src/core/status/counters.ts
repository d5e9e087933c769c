/**
 * The tally: what the loops know of their own work, for the agent's own sensor. It lives as long as the process, so that a
 * configuration that is read again does not begin it anew.
 */

export class Tally {
  #deliveredBefore = 0;
  #delivered: () => number = () => 0;
  #roundTripMs: number | undefined;

  /** Readings the server accepted since the agent started. */
  get delivered(): number {
    return this.#deliveredBefore + this.#delivered();
  }

  /** From the last request that was sent once to the server's first word about it, ms; undefined before there is one. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** A delivery begins, and says how many readings it has delivered; the one before it has ended. */
  count(delivered: () => number): void {
    this.#deliveredBefore = this.delivered;
    this.#delivered = delivered;
  }

  heard(roundTripMs: number): void {
    this.#roundTripMs = roundTripMs;
  }
}

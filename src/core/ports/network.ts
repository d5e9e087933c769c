/** Port for the local network of this host. */

export interface Network {
  /**
   * Resolves when the host has got an address or a route that it did not have at the call, or when the signal aborts. Never
   * rejects.
   */
  nextConnection(signal: AbortSignal): Promise<void>;
}

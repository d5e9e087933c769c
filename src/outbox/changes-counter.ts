/**
 * A counter that can be waited on: whoever saw a state of the outbox learns that there is a newer one, and misses none.
 */

export class ChangesCounter {
  #count = 0;
  readonly #waiters = new Set<() => void>();

  get count(): number {
    return this.#count;
  }

  increment(): void {
    this.#count += 1;
    for (const wake of this.#waiters) wake();
  }

  /** Resolves once `count` is no longer `since`, or when the signal aborts; leaves no listener behind. */
  async waitBeyond(since: number, signal: AbortSignal): Promise<void> {
    if (this.#count !== since || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiters.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

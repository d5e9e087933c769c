/**
 * The feed of the backlog: its next batch, fetched from a disk that may hang.
 *
 * So nobody waits for it but its own messages: batches are fetched one at a time, beside everything else, and a
 * backlog that had nothing to give is not asked again before something has changed.
 */

import type { Outbox } from '../ports/outbox.ts';
import type { Batch, BatchWindow } from './batch-window.ts';

export class BacklogReader {
  readonly #outbox: Outbox;
  readonly #window: BatchWindow;
  #isFetching = false;
  /** At this version of the outbox there was nothing, but what is held back. */
  #emptyAtVersion: number | undefined;

  constructor(outbox: Outbox, window: BatchWindow) {
    this.#outbox = outbox;
    this.#window = window;
  }

  /** When to fetch, monotonic ms, if nothing may be sent before `paceDueMs`; Infinity: something else will tell. */
  dueMs(nowMs: number, limitDueMs: number): number {
    if (this.#isFetching || this.#outbox.backlog.size === 0) return Number.POSITIVE_INFINITY;
    if (limitDueMs > nowMs) return limitDueMs;
    return this.#outbox.version === this.#emptyAtVersion ? this.#window.dueMs : nowMs;
  }

  /** The next batch to send, if there is one now. */
  async next(nowMs: number): Promise<Batch | undefined> {
    const { version } = this.#outbox;
    this.#isFetching = true;
    try {
      const batch = await this.#window.next(nowMs);
      this.#emptyAtVersion = batch ? undefined : version;
      return batch;
    } finally {
      this.#isFetching = false;
    }
  }
}

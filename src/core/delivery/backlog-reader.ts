/**
 * Fetches the next batch of the backlog from a disk that may hang, beside the rest of delivery and one at a
 * time. An empty backlog is not read again before the outbox has changed.
 */

import type { Outbox } from '../ports/outbox.ts';
import type { Batch, BatchWindow } from './batch-window.ts';

export class BacklogReader {
  readonly #outbox: Outbox;
  readonly #window: BatchWindow;
  #isFetching = false;
  /** The version of the outbox at which no batch was ready. */
  #emptyAtVersion: number | undefined;

  constructor(outbox: Outbox, window: BatchWindow) {
    this.#outbox = outbox;
    this.#window = window;
  }

  /** Time of the next fetch, monotonic ms, not before `limitDueMs`; Infinity: wait for a change instead. */
  dueMs(nowMs: number, limitDueMs: number): number {
    if (this.#isFetching || this.#outbox.backlog.size === 0) return Number.POSITIVE_INFINITY;
    if (limitDueMs > nowMs) return limitDueMs;
    return this.#outbox.changes.version === this.#emptyAtVersion ? this.#window.dueMs : nowMs;
  }

  /** The next batch to send, if one is ready; none after the abort. */
  async next(nowMs: number, signal: AbortSignal): Promise<Batch | undefined> {
    const { version } = this.#outbox.changes;
    this.#isFetching = true;
    try {
      const batch = await this.#window.next(nowMs, signal);
      this.#emptyAtVersion = batch ? undefined : version;
      return batch;
    } finally {
      this.#isFetching = false;
    }
  }
}

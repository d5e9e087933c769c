/**
 * A number about the host that another program knows: read every five minutes, and kept in between.
 *
 * If a read fails, there is no number, not the previous one.
 */

import type { Clock } from '../../core/ports/clock.ts';

const POLL_EVERY_MS = 300_000;

/** The number, or undefined if there is none. Never rejects; the deadline is its own. */
export type ReadNumber = (signal: AbortSignal) => Promise<number | undefined>;

export class PolledNumber {
  readonly #read: ReadNumber;
  readonly #clock: Pick<Clock, 'sleep'>;
  #last: number | undefined;

  constructor(read: ReadNumber, clock: Pick<Clock, 'sleep'>) {
    this.#read = read;
    this.#clock = clock;
  }

  /** The result of the latest read. */
  get last(): number | undefined {
    return this.#last;
  }

  /** Reads now and every five minutes, until the signal aborts; can then be called again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#last = await this.#read(signal);
      await this.#clock.sleep(POLL_EVERY_MS, signal);
    }
  }
}

/**
 * A number about the host that somebody else must be asked for: every five minutes, beside the sampling, and known in between.
 * While there is no answer there is no number, not that of before. Whom it is asked of, and for how long, is the asker's.
 */

import type { Clock } from '../../core/ports/clock.ts';

const POLL_EVERY_MS = 300_000;

/** The number, or undefined when there is none; never rejects. */
export type ReadNumber = (signal: AbortSignal) => Promise<number | undefined>;

export class PolledNumber {
  readonly #read: ReadNumber;
  readonly #clock: Pick<Clock, 'sleep'>;
  #last: number | undefined;

  constructor(read: ReadNumber, clock: Pick<Clock, 'sleep'>) {
    this.#read = read;
    this.#clock = clock;
  }

  /** As it was last said. */
  get last(): number | undefined {
    return this.#last;
  }

  /** Asks now and every five minutes, until the signal aborts; can be called again then. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#last = await this.#read(signal);
      await this.#clock.sleep(POLL_EVERY_MS, signal);
    }
  }
}

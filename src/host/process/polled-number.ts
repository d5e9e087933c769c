/**
 * A number about the host that somebody else must be asked for: every five minutes, beside the sampling, and known in between.
 * While there is no answer there is no number, not that of before. Whom it is asked of, and for how long, is the asker's.
 */

import type { Clock } from '../../core/ports/clock.ts';

const ASK_EVERY_MS = 300_000;

/** The number, or undefined when there is none; never rejects. */
export type AskNumber = (signal: AbortSignal) => Promise<number | undefined>;

export class AskedNumber {
  readonly #ask: AskNumber;
  readonly #clock: Pick<Clock, 'sleep'>;
  #last: number | undefined;

  constructor(ask: AskNumber, clock: Pick<Clock, 'sleep'>) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** As it was last said. */
  get last(): number | undefined {
    return this.#last;
  }

  /** Asks now and every five minutes, until the signal aborts; can be called again then. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#last = await this.#ask(signal);
      await this.#clock.sleep(ASK_EVERY_MS, signal);
    }
  }
}

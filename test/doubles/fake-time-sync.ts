/** A `TimeSync` that answers what a test told it, and keeps count of who asked when. */

import type { Clock, TimeSync } from '../../src/core/ports/clock.ts';

export class ScriptedTimeSync implements TimeSync {
  synchronised = false;
  /** Of every step from here on. */
  confirms = false;
  /** Monotonic times of the questions. */
  readonly queriedMs: number[] = [];
  readonly stepQueriedMs: number[] = [];
  /** What goes on while a question is under way. */
  whileQuerying: () => Promise<void> = async () => {};
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  async isSynchronised(signal: AbortSignal): Promise<boolean> {
    this.queriedMs.push(this.#clock.monotonicMs());
    await this.whileQuerying();
    return this.synchronised && !signal.aborted;
  }

  async confirmsStep(signal: AbortSignal): Promise<boolean> {
    this.stepQueriedMs.push(this.#clock.monotonicMs());
    await this.whileQuerying();
    return this.confirms && !signal.aborted;
  }
}

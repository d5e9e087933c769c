/** A `TimeSync` that answers what a test told it, and keeps count of who asked when. */

import type { Clock, TimeSync } from '../../src/core/ports/clock.ts';

export class ToldTimeSync implements TimeSync {
  synchronised = false;
  /** Of every step from here on. */
  confirms = false;
  /** Monotonic times of the questions. */
  readonly askedMs: number[] = [];
  readonly stepAskedMs: number[] = [];
  /** What goes on while a question is under way. */
  meanwhile: () => Promise<void> = async () => {};
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  async isSynchronised(signal: AbortSignal): Promise<boolean> {
    this.askedMs.push(this.#clock.monotonicMs());
    await this.meanwhile();
    return this.synchronised && !signal.aborted;
  }

  async confirmsStep(signal: AbortSignal): Promise<boolean> {
    this.stepAskedMs.push(this.#clock.monotonicMs());
    await this.meanwhile();
    return this.confirms && !signal.aborted;
  }
}

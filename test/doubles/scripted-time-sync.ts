/** A `TimeSync` that answers as a test sets it, and records the times of the queries. */

import type { Clock, TimeSync } from '../../src/core/ports/clock.ts';

export class ScriptedTimeSync implements TimeSync {
  synchronised = false;
  /** Whether it confirms the next steps. */
  confirms = false;
  /** Monotonic times of the queries. */
  readonly queriedMs: number[] = [];
  readonly stepQueriedMs: number[] = [];
  /** Runs during each query. */
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

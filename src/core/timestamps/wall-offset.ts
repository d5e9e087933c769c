/**
 * The accepted offset from the time since boot to wall time.
 *
 * It follows a wall clock that moves by at most a second between two measurements: a time service that has
 * been without its server for hours corrects no more. A larger move is a step: the offset holds until
 * `accept`.
 */

import type { Clock } from '../ports/clock.ts';

/** A larger move of the wall clock is a step, ms. */
const STEP_MS_MIN = 1000;
/** Maximum relative error of an oscillator. */
const DRIFT_MAX = 100e-6;
/** Maximum difference of two measurements of an untouched clock, even on a busy host, ms. */
const MEASUREMENT_TOLERANCE_MS = 50;

export class WallOffset {
  readonly #clock: Pick<Clock, 'wallMs' | 'bootMs'>;
  #acceptedMs: number | undefined;
  #queriedMs: number | undefined;

  constructor(clock: Pick<Clock, 'wallMs' | 'bootMs'>) {
    this.#clock = clock;
  }

  /** Undefined until the first `accept`. */
  get acceptedMs(): number | undefined {
    return this.#acceptedMs;
  }

  /** The offset according to the present wall clock. */
  get measuredMs(): number {
    return this.#clock.wallMs() - this.#clock.bootMs();
  }

  accept(offsetMs: number): void {
    this.#acceptedMs = offsetMs;
    this.#queriedMs = undefined;
  }

  /**
   * Follows the wall clock. Returns the size of a step, ms, if it has stepped. `unobservedMs`: the time since the accepted offset
   * was compared with the wall clock last, in which the two have drifted apart.
   */
  follow(unobservedMs = 0): number | undefined {
    if (this.#acceptedMs === undefined) return undefined;
    const { measuredMs } = this;
    const movedMs = measuredMs - this.#acceptedMs;
    if (Math.abs(movedMs) > STEP_MS_MIN + unobservedMs * DRIFT_MAX) return movedMs;
    this.accept(measuredMs);
    return undefined;
  }

  /** Follows the wall clock; true if it has stepped since the last `confirm`. */
  hasUnconfirmedStep(): boolean {
    if (this.follow() === undefined) return false;
    return this.#queriedMs === undefined || Math.abs(this.measuredMs - this.#queriedMs) > STEP_MS_MIN;
  }

  /** The present offset if `query` resolves to true; `moved` if the clock was set meanwhile. */
  async confirm(query: () => Promise<boolean>): Promise<number | 'moved' | undefined> {
    const beforeMs = this.measuredMs;
    this.#queriedMs = beforeMs;
    if (!(await query())) return undefined;
    const afterMs = this.measuredMs;
    return Math.abs(afterMs - beforeMs) <= MEASUREMENT_TOLERANCE_MS ? afterMs : 'moved';
  }
}

/**
 * The offset from time since boot to wall time, as far as the wall clock is believed.
 *
 * Followed is a clock that moves by a second or less from one look to the next: a time service that has lost its server for
 * hours puts right no more. Further is a step, and the offset holds until somebody decides to take the new one.
 */

import type { Clock } from '../ports/clock.ts';

/** Beyond it the wall clock has stepped, ms. */
const STEP_MS_MIN = 1000;
/** Two looks at a clock that nobody moves agree within this, even on a busy host, ms. */
const MEASUREMENT_TOLERANCE_MS = 50;

export class WallOffset {
  readonly #clock: Pick<Clock, 'wallMs' | 'bootMs'>;
  #acceptedMs: number | undefined;
  #queriedMs: number | undefined;

  constructor(clock: Pick<Clock, 'wallMs' | 'bootMs'>) {
    this.#clock = clock;
  }

  /** Absent until the first `take`. */
  get acceptedMs(): number | undefined {
    return this.#acceptedMs;
  }

  /** What it would be if the wall clock were believed. */
  get measuredMs(): number {
    return this.#clock.wallMs() - this.#clock.bootMs();
  }

  accept(offsetMs: number): void {
    this.#acceptedMs = offsetMs;
    this.#queriedMs = undefined;
  }

  /** Follows the wall clock, unless it has stepped; then, by how much, ms. */
  follow(): number | undefined {
    if (this.#acceptedMs === undefined) return undefined;
    const { measuredMs } = this;
    const movedMs = measuredMs - this.#acceptedMs;
    if (Math.abs(movedMs) > STEP_MS_MIN) return movedMs;
    this.accept(measuredMs);
    return undefined;
  }

  /** Follows the wall clock; true when it has stepped to where `ask` has not been asked about it. */
  hasUnconfirmedStep(): boolean {
    if (this.follow() === undefined) return false;
    return this.#queriedMs === undefined || Math.abs(this.measuredMs - this.#queriedMs) > STEP_MS_MIN;
  }

  /** The offset of now, if the answer is yes and nobody moved the clock while the question was under way. */
  async confirm(query: () => Promise<boolean>): Promise<number | 'moved' | undefined> {
    const beforeMs = this.measuredMs;
    this.#queriedMs = beforeMs;
    if (!(await query())) return undefined;
    const afterMs = this.measuredMs;
    return Math.abs(afterMs - beforeMs) <= MEASUREMENT_TOLERANCE_MS ? afterMs : 'moved';
  }
}

/**
 * The offset from time since boot to wall time, as far as the wall clock is believed.
 *
 * Followed is a clock that moves by a second or less from one look to the next: a time service that has lost its server for
 * hours puts right no more. Further is a step, and the offset holds until somebody decides to take the new one.
 */

import type { Clock } from '../ports/clock.ts';

/** Beyond it the wall clock has stepped, ms. */
const FOLLOWED_MS = 1000;
/** Two looks at a clock that nobody moves agree within this, even on a busy host, ms. */
const STEADY_MS = 50;

export class WallOffset {
  readonly #clock: Pick<Clock, 'wallMs' | 'bootMs'>;
  #believedMs: number | undefined;
  #askedMs: number | undefined;

  constructor(clock: Pick<Clock, 'wallMs' | 'bootMs'>) {
    this.#clock = clock;
  }

  /** Absent until the first `take`. */
  get believedMs(): number | undefined {
    return this.#believedMs;
  }

  /** What it would be if the wall clock were believed. */
  get apparentMs(): number {
    return this.#clock.wallMs() - this.#clock.bootMs();
  }

  take(offsetMs: number): void {
    this.#believedMs = offsetMs;
    this.#askedMs = undefined;
  }

  /** Follows the wall clock, unless it has stepped; then, by how much, ms. */
  follow(): number | undefined {
    if (this.#believedMs === undefined) return undefined;
    const { apparentMs } = this;
    const movedMs = apparentMs - this.#believedMs;
    if (Math.abs(movedMs) > FOLLOWED_MS) return movedMs;
    this.take(apparentMs);
    return undefined;
  }

  /** Follows the wall clock; true when it has stepped to where `ask` has not been asked about it. */
  hasNews(): boolean {
    if (this.follow() === undefined) return false;
    return this.#askedMs === undefined || Math.abs(this.apparentMs - this.#askedMs) > FOLLOWED_MS;
  }

  /** The offset of now, if the answer is yes and nobody moved the clock while the question was under way. */
  async ask(question: () => Promise<boolean>): Promise<number | 'moved' | undefined> {
    const beforeMs = this.apparentMs;
    this.#askedMs = beforeMs;
    if (!(await question())) return undefined;
    const afterMs = this.apparentMs;
    return Math.abs(afterMs - beforeMs) <= STEADY_MS ? afterMs : 'moved';
  }
}

/**
 * Progress: whether the loops of the agent get on, asked before the service manager is told that it lives.
 *
 * Each loop says what it is at and within which time it will be heard of again (`Pulse.expect`); what goes on beside the
 * loops, such as a request under way, says by when it must be over (`within`). A wait whose length nobody knows is `idle`:
 * it is in order until it is nudged, and then has to show soon that it still wakes. Nothing here waits or starts a
 * timer: what is late is found when somebody asks.
 */

import type { Clock } from '../ports/clock.ts';

/** A loop that is nudged out of an idle wait must be heard of within this, ms. */
export const NUDGED_MS = 60_000;

interface Undertaking {
  readonly what: string;
  /** Monotonic ms. */
  dueMs: number;
  /** Ends an idle wait. */
  readonly wake?: () => void;
}

export class Progress {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #open = new Set<Undertaking>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** What should have been over, or heard of, before now; undefined while all get on. */
  get late(): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    for (const { what, dueMs } of this.#open) if (dueMs < nowMs) return what;
    return undefined;
  }

  /** Does `act`, which must be over within `ms`. */
  async within<T>(what: string, ms: number, act: () => Promise<T>): Promise<T> {
    const undertaking = this.#begin({ what, dueMs: this.#clock.monotonicMs() + ms });
    try {
      return await act();
    } finally {
      this.#open.delete(undertaking);
    }
  }

  /** A loop that begins. */
  pulse(): Pulse {
    return new Pulse(
      this.#clock,
      (undertaking) => this.#begin(undertaking),
      (undertaking) => this.#open.delete(undertaking),
    );
  }

  /** Wakes whoever idles. */
  nudge(): void {
    for (const undertaking of [...this.#open]) {
      if (undertaking.wake === undefined) continue;
      undertaking.dueMs = Math.min(undertaking.dueMs, this.#clock.monotonicMs() + NUDGED_MS);
      undertaking.wake();
    }
  }

  #begin(undertaking: Undertaking): Undertaking {
    this.#open.add(undertaking);
    return undertaking;
  }
}

/** One loop, which is at one thing at a time. Disposed of when the loop ends. */
export class Pulse implements Disposable {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #begin: (undertaking: Undertaking) => Undertaking;
  readonly #end: (undertaking: Undertaking) => void;
  #current: Undertaking | undefined;

  constructor(
    clock: Pick<Clock, 'monotonicMs'>,
    begin: (undertaking: Undertaking) => Undertaking,
    end: (undertaking: Undertaking) => void,
  ) {
    this.#clock = clock;
    this.#begin = begin;
    this.#end = end;
  }

  /** The loop was heard of; it is at `what` now, and will be heard of again within `ms`. */
  expect(what: string, ms: number): void {
    this.#turnTo({ what, dueMs: this.#clock.monotonicMs() + ms });
  }

  /** The loop waits for as long as it takes; `wake` ends that. Tells, once, that the loop goes on with `expect`. */
  idle(what: string, wake: () => void): (next: string, ms: number) => void {
    const waiting: Undertaking = { what, dueMs: Number.POSITIVE_INFINITY, wake };
    this.#turnTo(waiting);
    return (next, ms) => {
      // The loop may be at something else already: this wait was one of several, and another ended first.
      if (this.#current === waiting) this.expect(next, ms);
    };
  }

  [Symbol.dispose](): void {
    if (this.#current) this.#end(this.#current);
    this.#current = undefined;
  }

  #turnTo(undertaking: Undertaking): void {
    if (this.#current) this.#end(this.#current);
    this.#current = this.#begin(undertaking);
  }
}

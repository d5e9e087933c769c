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
export const POKE_RESPONSE_MS_MAX = 60_000;

interface Activity {
  readonly name: string;
  /** Monotonic ms. */
  dueMs: number;
  /** Ends an idle wait. */
  readonly wake?: () => void;
}

export class Liveness {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #active = new Set<Activity>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** What should have been over, or heard of, before now; undefined while all get on. */
  get stalled(): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    for (const { name, dueMs } of this.#active) if (dueMs < nowMs) return name;
    return undefined;
  }

  /** Does `act`, which must be over within `ms`. */
  async track<T>(name: string, ms: number, operation: () => Promise<T>): Promise<T> {
    const activity = this.#start({ name, dueMs: this.#clock.monotonicMs() + ms });
    try {
      return await operation();
    } finally {
      this.#active.delete(activity);
    }
  }

  /** A loop that begins. */
  heartbeat(): Heartbeat {
    return new Heartbeat(
      this.#clock,
      (activity) => this.#start(activity),
      (activity) => this.#active.delete(activity),
    );
  }

  /** Wakes whoever idles. */
  poke(): void {
    for (const activity of [...this.#active]) {
      if (activity.wake === undefined) continue;
      activity.dueMs = Math.min(activity.dueMs, this.#clock.monotonicMs() + POKE_RESPONSE_MS_MAX);
      activity.wake();
    }
  }

  #start(activity: Activity): Activity {
    this.#active.add(activity);
    return activity;
  }
}

/** One loop, which is at one thing at a time. Disposed of when the loop ends. */
export class Heartbeat implements Disposable {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #start: (activity: Activity) => Activity;
  readonly #end: (activity: Activity) => void;
  #current: Activity | undefined;

  constructor(
    clock: Pick<Clock, 'monotonicMs'>,
    start: (activity: Activity) => Activity,
    end: (activity: Activity) => void,
  ) {
    this.#clock = clock;
    this.#start = start;
    this.#end = end;
  }

  /** The loop was heard of; it is at `what` now, and will be heard of again within `ms`. */
  expectWithin(name: string, ms: number): void {
    this.#setActivity({ name, dueMs: this.#clock.monotonicMs() + ms });
  }

  /** The loop waits for as long as it takes; `wake` ends that. Tells, once, that the loop goes on with `expect`. */
  idle(name: string, wake: () => void): (next: string, ms: number) => void {
    const idleWait: Activity = { name, dueMs: Number.POSITIVE_INFINITY, wake };
    this.#setActivity(idleWait);
    return (next, ms) => {
      // The loop may be at something else already: this wait was one of several, and another ended first.
      if (this.#current === idleWait) this.expectWithin(next, ms);
    };
  }

  [Symbol.dispose](): void {
    if (this.#current) this.#end(this.#current);
    this.#current = undefined;
  }

  #setActivity(activity: Activity): void {
    if (this.#current) this.#end(this.#current);
    this.#current = this.#start(activity);
  }
}

/**
 * Liveness of the loops of the agent, checked before each watchdog notification.
 *
 * Each loop reports its activity with a deadline (`Heartbeat.expectWithin`); requests in flight beside the
 * loops have one, too (`track`). A wait of unknown length is `idle`: after `poke` the loop must wake up
 * within a minute. Starts no timer: `stalled` compares deadlines when it is read.
 */

import type { Clock } from '../ports/clock.ts';

/** An idle loop must respond to `poke` within this time, ms. */
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

  /** The name of an activity past its deadline; undefined if there is none. */
  get stalled(): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    for (const { name, dueMs } of this.#active) if (dueMs < nowMs) return name;
    return undefined;
  }

  /** Runs `operation`, which must end within `ms`. */
  async track<T>(name: string, ms: number, operation: () => Promise<T>): Promise<T> {
    const activity = this.#start({ name, dueMs: this.#clock.monotonicMs() + ms });
    try {
      return await operation();
    } finally {
      this.#active.delete(activity);
    }
  }

  /** Starts the heartbeat of a loop. */
  heartbeat(): Heartbeat {
    return new Heartbeat(
      this.#clock,
      (activity) => this.#start(activity),
      (activity) => this.#active.delete(activity),
    );
  }

  /** Wakes all idle loops. */
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

/** The heartbeat of one loop, which has one activity at a time. Dispose of it when the loop ends. */
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

  /** Starts the activity `name`, which ends with the next call within `ms`. */
  expectWithin(name: string, ms: number): void {
    this.#setActivity({ name, dueMs: this.#clock.monotonicMs() + ms });
  }

  /** Starts a wait without a deadline, which `wake` ends. The returned function starts the next activity. */
  idle(name: string, wake: () => void): (next: string, ms: number) => void {
    const idleWait: Activity = { name, dueMs: Number.POSITIVE_INFINITY, wake };
    this.#setActivity(idleWait);
    return (next, ms) => {
      // The loop may have another activity already: of several waits, another one ended first.
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

/**
 * A hand-cranked `Clock`: time stands still until a test advances it.
 *
 * `advance` wakes the sleepers one by one in the order of their due times (equal times: first come, first
 * woken), shows each its own due time, and lets everything it set off settle before the next one, so that a
 * sleep begun by a woken sleeper still ends within the same advance. Wall time can be stepped apart from
 * monotonic time, as an NTP step would.
 */

import type { Clock } from '../../src/core/ports.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #monotonicMs = 0;
  #wallAheadMs: number;

  constructor(wallMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallAheadMs = wallMs;
  }

  wallMs(): number {
    return this.#monotonicMs + this.#wallAheadMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || !(ms > 0)) {
        resolve();
        return;
      }
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { dueMs: this.#monotonicMs + ms, wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
    });
  }

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Lets `ms` pass, in as many steps as there are sleepers due. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    await settle();
    for (let next = this.#next(); next !== undefined && next.dueMs <= untilMs; next = this.#next()) {
      this.#monotonicMs = next.dueMs;
      next.wake();
      await settle();
    }
    this.#monotonicMs = untilMs;
  }

  /** Lets time pass until the next sleeper wakes; false when nobody sleeps. */
  async advanceToNext(): Promise<boolean> {
    await settle();
    const next = this.#next();
    if (next === undefined) return false;
    await this.advance(next.dueMs - this.#monotonicMs);
    return true;
  }

  /** Steps the wall clock by `ms`, forwards or back; no sleeper notices. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  #next(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (earliest === undefined || sleeper.dueMs < earliest.dueMs) earliest = sleeper;
    }
    return earliest;
  }
}

/** One turn of the event loop: every microtask queued until now, and those they queue, have run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

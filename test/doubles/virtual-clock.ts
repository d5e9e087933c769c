/**
 * A `Clock` that stands still until a test advances it.
 *
 * `advance` wakes the sleepers one by one in the order of their due times (equal times in the order of their
 * calls), at their own due time, and waits until the effects have settled, so that a sleep begun by a woken
 * sleeper ends within the same advance. The wall time can be stepped as by NTP. A suspended host stops the
 * sleepers, but neither the time since boot nor the wall time. A clock with the same boot and a later
 * `bootMs` is that of a process started later.
 */

import type { Clock, StopSignal } from '../../src/core/ports/clock.ts';

const BOOT_ID = '5b00075e-c0de-4b00-8000-000000000001';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export interface VirtualBoot {
  readonly bootId?: string;
  /** How long ago the host booted when this clock begins, ms. */
  readonly bootMs?: number;
}

export class VirtualClock implements Clock {
  readonly bootId: string;
  readonly #sleepers = new Set<Sleeper>();
  #monotonicMs = 0;
  #wallAheadMs: number;
  #bootAheadMs: number;

  constructor(wallMs: number = Date.UTC(2026, 0, 1), { bootId = BOOT_ID, bootMs = 0 }: VirtualBoot = {}) {
    this.#wallAheadMs = wallMs;
    this.bootId = bootId;
    this.#bootAheadMs = bootMs;
  }

  wallMs(): number {
    return this.#monotonicMs + this.#wallAheadMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  bootMs(): number {
    return this.#monotonicMs + this.#bootAheadMs;
  }

  sleep(ms: number, signal: StopSignal): Promise<void> {
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

  /** Number of current sleepers. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Advances by `ms`, in one step per due sleeper. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    await flushMicrotasks();
    for (let next = this.#next(); next !== undefined && next.dueMs <= untilMs; next = this.#next()) {
      this.#monotonicMs = next.dueMs;
      next.wake();
      await flushMicrotasks();
    }
    this.#monotonicMs = untilMs;
  }

  /** Advances to the next due time; false if there is no sleeper. */
  async advanceToNext(): Promise<boolean> {
    await flushMicrotasks();
    const next = this.#next();
    if (next === undefined) return false;
    await this.advance(next.dueMs - this.#monotonicMs);
    return true;
  }

  /** Steps the wall clock by `ms`, forwards or back; sleepers are not affected. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** Suspends the host for `ms`: sleepers stop, but the wall clock and the time since boot advance. */
  suspend(ms: number): void {
    this.#wallAheadMs += ms;
    this.#bootAheadMs += ms;
  }

  #next(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (earliest === undefined || sleeper.dueMs < earliest.dueMs) earliest = sleeper;
    }
    return earliest;
  }
}

/** Waits for one turn of the event loop, in which all queued microtasks and those that they queue run. */
function flushMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

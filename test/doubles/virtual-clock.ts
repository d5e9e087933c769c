/**
 * A hand-cranked `Clock`: time stands still until a test advances it.
 *
 * `advance` wakes the sleepers one by one in the order of their due times (equal times: first come, first
 * woken), shows each its own due time, and lets everything it set off settle before the next one, so that a
 * sleep begun by a woken sleeper still ends within the same advance. Wall time can be stepped apart from
 * monotonic time, as an NTP step would; and the host can be suspended, which sleepers do not notice and the
 * times since boot and of the wall do. A clock made of the same boot and a later `bootMs` is that of a process started later.
 */

import type { Clock } from '../../src/core/ports/clock.ts';

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
    await flushMicrotasks();
    for (let next = this.#next(); next !== undefined && next.dueMs <= untilMs; next = this.#next()) {
      this.#monotonicMs = next.dueMs;
      next.wake();
      await flushMicrotasks();
    }
    this.#monotonicMs = untilMs;
  }

  /** Lets time pass until the next sleeper wakes; false when nobody sleeps. */
  async advanceToNext(): Promise<boolean> {
    await flushMicrotasks();
    const next = this.#next();
    if (next === undefined) return false;
    await this.advance(next.dueMs - this.#monotonicMs);
    return true;
  }

  /** Steps the wall clock by `ms`, forwards or back; no sleeper notices. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** The host sleeps for `ms`: no sleeper notices, but the wall clock and the time since boot go on. */
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

/** One turn of the event loop: every microtask queued until now, and those they queue, have run. */
function flushMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

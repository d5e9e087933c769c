/** A clock that a test advances by hand; sleeps end when `advance` reaches them. */

import type { SandboxClock } from '../../../src/sandbox/core/clock.ts';

interface PendingSleep {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class ManualClock implements SandboxClock {
  #nowMs: number;
  #sleeps: PendingSleep[] = [];

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { dueMs: this.#nowMs + ms, wake: resolve };
      this.#sleeps.push(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleeps = this.#sleeps.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  get sleeping(): number {
    return this.#sleeps.length;
  }

  /** Advances the time, ends due sleeps and runs all resulting promises. */
  async advance(ms: number): Promise<void> {
    await settlePromises();
    this.#nowMs += ms;
    const due = this.#sleeps.filter((sleeper) => sleeper.dueMs <= this.#nowMs);
    this.#sleeps = this.#sleeps.filter((sleeper) => sleeper.dueMs > this.#nowMs);
    for (const sleeper of due) sleeper.wake();
    await settlePromises();
  }
}

/** Resolves when all pending promise callbacks have run. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

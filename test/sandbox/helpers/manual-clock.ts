/**
 * A clock a test turns by hand: sleeps end when `advance` reaches them, so ten seconds of silence cost no
 * time.
 */

import type { SandboxClock } from '../../../src/sandbox/core/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class HandClock implements SandboxClock {
  #nowMs: number;
  #sleepers: Sleeper[] = [];

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
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Passes time, wakes who is due, and lets everything that follows from it happen. */
  async advance(ms: number): Promise<void> {
    await settled();
    this.#nowMs += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.dueMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.dueMs > this.#nowMs);
    for (const sleeper of due) sleeper.wake();
    await settled();
  }
}

/** Resolves after every promise that can go on has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

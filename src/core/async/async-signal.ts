/**
 * A notification without lost wake-ups: each one raises the version, and a waiter passes the version it has
 * seen. A wait leaves no listener in the abort signal, which may live for years.
 */

import type { Clock } from '../ports/clock.ts';
import { ChildAbortController } from './abort.ts';

/** What `waitForAny` waits for. */
export interface WaitSource {
  readonly version: number;
  addWaiter(wake: () => void): void;
  removeWaiter(wake: () => void): void;
}

export class AsyncSignal implements WaitSource {
  #version = 0;
  readonly #waiters = new Set<() => void>();

  /** Number of notifications. */
  get version(): number {
    return this.#version;
  }

  notify(): void {
    this.#version += 1;
    for (const end of this.#waiters) end();
  }

  /** `wake` is called at each notification until it is removed. */
  addWaiter(wake: () => void): void {
    this.#waiters.add(wake);
  }

  removeWaiter(wake: () => void): void {
    this.#waiters.delete(wake);
  }

  /** Resolves when `version` differs from `seen` or the signal aborts. */
  wait(signal: AbortSignal, seen = this.#version): Promise<void> {
    return AsyncSignal.waitForAny([this], [seen], signal);
  }

  /** Resolves when the version of a source differs from its `seen`, or the signal aborts. */
  static waitForAny(
    sources: readonly WaitSource[],
    seen: readonly number[],
    signal: AbortSignal,
  ): Promise<void> {
    return new Promise<void>((resolve) => {
      if (signal.aborted || sources.some((source, index) => source.version !== seen[index])) {
        resolve();
        return;
      }
      const end = () => {
        for (const source of sources) source.removeWaiter(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      for (const source of sources) source.addWaiter(end);
      signal.addEventListener('abort', end);
    });
  }

  /** Like `wait`, but at most `ms`. */
  async waitUpTo(
    ms: number,
    clock: Pick<Clock, 'sleep'>,
    signal: AbortSignal,
    seen = this.#version,
  ): Promise<void> {
    if (this.#version !== seen) return;
    using over = new ChildAbortController(signal);
    const end = () => over.abort();
    this.#waiters.add(end);
    await clock.sleep(ms, over.signal);
    this.#waiters.delete(end);
  }

  /** Like `wait`, but at most until the monotonic time `dueMs`, at least one millisecond; Infinity: without a limit. */
  async waitUntil(
    dueMs: number,
    clock: Pick<Clock, 'monotonicMs' | 'sleep'>,
    signal: AbortSignal,
    seen = this.#version,
  ): Promise<void> {
    if (dueMs === Number.POSITIVE_INFINITY) return this.wait(signal, seen);
    await this.waitUpTo(Math.max(1, dueMs - clock.monotonicMs()), clock, signal, seen);
  }
}

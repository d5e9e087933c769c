/**
 * The timers of one part of the front door, so that all of them can be stopped at once.
 *
 * Promises that nothing fires after `stop`, and that nothing can be started after it either.
 */

import { type StartTimer, systemTimer } from './settings.ts';

export class Timers {
  readonly #startTimer: StartTimer;
  /** What cancels each running timer. */
  readonly #running = new Set<() => void>();
  #stopped = false;

  constructor(startTimer: StartTimer = systemTimer) {
    this.#startTimer = startTimer;
  }

  /** Runs `action` once after `ms`, unless the returned function is called first. */
  schedule(ms: number, action: () => void): () => void {
    if (this.#stopped) return () => {};
    const cancel = this.#startTimer(() => {
      this.#running.delete(cancel);
      action();
    }, ms);
    this.#running.add(cancel);
    return () => {
      cancel();
      this.#running.delete(cancel);
    };
  }

  get size(): number {
    return this.#running.size;
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#running) cancel();
    this.#running.clear();
  }
}

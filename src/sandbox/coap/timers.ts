/** A group of timers that can be stopped at once. After `stop` no timer fires and none can be started. */

import { type StartTimer, systemTimer } from './settings.ts';

export class Timers {
  readonly #startTimer: StartTimer;
  /** The cancel function of each running timer. */
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

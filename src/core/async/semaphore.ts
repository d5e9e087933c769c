/** A semaphore: limits how many operations run at once, first come, first served. */

import { raceAbort } from './abort.ts';

export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Runs `work` when a slot is free; undefined if the signal aborts first. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#acquire(signal))) return undefined;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Resolves to true with a slot, to false if the signal aborts first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    let isAcquired = false;
    let next = (): void => {};
    const acquired = new Promise<true>((resolve) => {
      next = () => {
        isAcquired = true;
        resolve(true);
      };
    });
    this.#waiting.push(next);
    await raceAbort<boolean>(acquired, false, signal);
    if (!isAcquired) this.#waiting.splice(this.#waiting.indexOf(next), 1);
    return isAcquired;
  }
}

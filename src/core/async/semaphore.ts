/** Slots: at most so many of something at once, whoever came first goes first. */

import { unlessAborted } from './abort.ts';

export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** What `work` gives, as soon as it has a slot; undefined when the signal aborts before it does. */
  async use<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#turn(signal))) return undefined;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Resolves with true when a slot was handed over, with false when the signal aborted first. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    let isMine = false;
    let next = (): void => {};
    const turn = new Promise<true>((resolve) => {
      next = () => {
        isMine = true;
        resolve(true);
      };
    });
    this.#waiting.push(next);
    await unlessAborted<boolean>(turn, false, signal);
    if (!isMine) this.#waiting.splice(this.#waiting.indexOf(next), 1);
    return isMine;
  }
}

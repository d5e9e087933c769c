/**
 * Seeded random numbers for the simulation (splitmix32). The same seed gives the same numbers. `fork` creates
 * a generator of its own for each part (network, disk, plan, agent), so that one more draw in one part does
 * not change the others.
 */

import { createRandom } from '../../src/sandbox/core/random.ts';

export class SeededRandom {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = createRandom(seed);
  }

  /** Uniform in [0, 1). */
  random(): number {
    return this.#next();
  }

  isTrue(share: number): boolean {
    return share > 0 && this.#next() < share;
  }

  between(least: number, most: number): number {
    return least + this.#next() * (most - least);
  }

  /** Log-uniform from `least` (> 0) to `most`: every order of magnitude is equally likely. */
  logBetween(least: number, most: number): number {
    return least * (most / least) ** this.#next();
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** One of `choices`, by weight. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.#next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new Error('SeededRandom: no choices');
  }

  fork(): SeededRandom {
    return new SeededRandom(Math.floor(this.#next() * 0x1_0000_0000));
  }
}

/**
 * Seeded dice for the simulation: splitmix32, and the throws a plan needs.
 *
 * The same seed gives the same throws. `fork` makes dice of their own for each part (network, disk, plan,
 * agent), so that one more throw in one part does not change the others.
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

  /** Every order of magnitude between `least` (over 0) and `most` equally likely: instants and pauses. */
  logBetween(least: number, most: number): number {
    return least * (most / least) ** this.#next();
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** One of `choices`, each as likely as its weight. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.#next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new Error('dice: nothing to choose from');
  }

  fork(): SeededRandom {
    return new SeededRandom(Math.floor(this.#next() * 0x1_0000_0000));
  }
}

/** A `Chance` without chance: one number for every throw, and the tokens minted-1, minted-2, … in order. */

import { Secret } from '../../src/core/model/secret.ts';
import type { Chance } from '../../src/core/ports/random.ts';

export class LoadedDice implements Chance {
  readonly #random: number;
  minted = 0;

  constructor(random = 0.5) {
    this.#random = random;
  }

  random(): number {
    return this.#random;
  }

  mintToken(): Secret {
    this.minted += 1;
    return new Secret(`minted-${this.minted}`);
  }
}

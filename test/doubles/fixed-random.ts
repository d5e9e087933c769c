/** A `Random` with one number for every draw, and the tokens minted-1, minted-2, … in order. */

import { Secret } from '../../src/core/model/secret.ts';
import type { Random } from '../../src/core/ports/random.ts';

export class FixedRandom implements Random {
  readonly #value: number;
  minted = 0;

  constructor(uniform = 0.5) {
    this.#value = uniform;
  }

  uniform(): number {
    return this.#value;
  }

  mintToken(): Secret {
    this.minted += 1;
    return new Secret(`minted-${this.minted}`);
  }
}

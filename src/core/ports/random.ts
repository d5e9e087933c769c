/** Port for random numbers and fresh access tokens. */

import type { Secret } from '../model/secret.ts';

/** Chance. */
export interface Random {
  /** Uniform in [0, 1): jitter. Not for secrets. */
  uniform(): number;
  /** A fresh access token from the operating system's CSPRNG: 20 or more of A-Z a-z 0-9 (contract 3.5). */
  mintToken(): Secret;
}

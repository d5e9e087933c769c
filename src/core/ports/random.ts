/** Port for random numbers and new access tokens. */

import type { Secret } from '../model/secret.ts';

export interface Random {
  /** Uniform in [0, 1), for jitter, not for secrets. */
  uniform(): number;
  /** A new access token from the CSPRNG of the operating system: 20 or more of A-Z a-z 0-9 (contract 3.5). */
  mintToken(): Secret;
}

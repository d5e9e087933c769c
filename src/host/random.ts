/**
 * The adapter of the `Random` port.
 *
 * Tokens come from the operating system's CSPRNG, every character equally likely (randomInt rejects the
 * biased tail); 24 of 62 characters are 142 bits. Jitter comes from Math.random, which is predictable: never
 * use it for a secret.
 */

import { randomInt } from 'node:crypto';
import { Secret } from '../core/model/secret.ts';
import type { Random } from '../core/ports/random.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const TOKEN_LENGTH = 24;

export function hostRandom(): Random {
  return { uniform: () => Math.random(), mintToken };
}

function mintToken(): Secret {
  const characters = Array.from({ length: TOKEN_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length)));
  return new Secret(characters.join(''));
}

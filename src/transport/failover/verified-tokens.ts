/**
 * Proofs: on which roads the server has taken our token, and when. They say whether a "no" is the server's or the road's.
 */

import type { Secret } from '../../core/model/secret.ts';

/** After so long a "no" on another road counts again: the device may have been deleted meanwhile, ms. */
const VERIFICATION_TTL_MS = 24 * 3_600_000;

export class VerifiedTokens {
  readonly #byEndpoint = new Map<number, { readonly token: Secret; readonly atMs: number }>();

  add(endpoint: number, token: Secret, nowMs: number): void {
    this.#byEndpoint.set(endpoint, { token, atMs: nowMs });
  }

  /** That road itself does not take it any more. */
  remove(endpoint: number): void {
    this.#byEndpoint.delete(endpoint);
  }

  has(endpoint: number, token: Secret): boolean {
    return this.#byEndpoint.get(endpoint)?.token.equals(token) ?? false;
  }

  /** Another road took it within the last day. */
  isVerifiedElsewhere(endpoint: number, token: Secret, nowMs: number): boolean {
    return [...this.#byEndpoint].some(
      ([other, entry]) =>
        other !== endpoint && entry.token.equals(token) && nowMs - entry.atMs < VERIFICATION_TTL_MS,
    );
  }
}

/**
 * Which endpoints have accepted the access token, and when. Distinguishes a token that the server has deleted
 * from an endpoint that leads to another server.
 */

import type { Secret } from '../../core/model/secret.ts';

/** A verification expires after this time, because the device may have been deleted in the meantime, ms. */
const VERIFICATION_TTL_MS = 24 * 3_600_000;

export class VerifiedTokens {
  readonly #byEndpoint = new Map<number, { readonly token: Secret; readonly atMs: number }>();

  add(endpoint: number, token: Secret, nowMs: number): void {
    this.#byEndpoint.set(endpoint, { token, atMs: nowMs });
  }

  /** The endpoint no longer accepts the token. */
  remove(endpoint: number): void {
    this.#byEndpoint.delete(endpoint);
  }

  has(endpoint: number, token: Secret): boolean {
    return this.#byEndpoint.get(endpoint)?.token.equals(token) ?? false;
  }

  /** Whether another endpoint has accepted the token within the last 24 hours. */
  isVerifiedElsewhere(endpoint: number, token: Secret, nowMs: number): boolean {
    return [...this.#byEndpoint].some(
      ([other, entry]) =>
        other !== endpoint && entry.token.equals(token) && nowMs - entry.atMs < VERIFICATION_TTL_MS,
    );
  }
}

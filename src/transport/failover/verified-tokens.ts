/**
 * Proofs: on which roads the server has taken our token, and when. They say whether a "no" is the server's or the road's.
 */

import type { Secret } from '../../core/model/secret.ts';

/** After so long a "no" on another road counts again: the device may have been deleted meanwhile, ms. */
const PROOF_MS = 24 * 3_600_000;

export class Proofs {
  readonly #byRoad = new Map<number, { readonly token: Secret; readonly atMs: number }>();

  add(road: number, token: Secret, nowMs: number): void {
    this.#byRoad.set(road, { token, atMs: nowMs });
  }

  /** That road itself does not take it any more. */
  remove(road: number): void {
    this.#byRoad.delete(road);
  }

  has(road: number, token: Secret): boolean {
    return this.#byRoad.get(road)?.token.equals(token) ?? false;
  }

  /** Another road took it within the last day. */
  isKnownElsewhere(road: number, token: Secret, nowMs: number): boolean {
    return [...this.#byRoad].some(
      ([other, proof]) => other !== road && proof.token.equals(token) && nowMs - proof.atMs < PROOF_MS,
    );
  }
}

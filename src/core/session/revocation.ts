/** Decides when rejections of the access token mean that it was revoked, so that the agent may provision again. */

import { WAIT_MIN_MS } from '../failures/backoff.ts';
import type { Failure } from '../failures/failure.ts';
import type { SessionContext, SessionState } from './state.ts';

/**
 * A token is revoked after this many `unauthorized` responses over this time, ms. A single one may come from
 * a server that is being restored.
 */
export const REVOCATION_THRESHOLD = { count: 5, forMs: 5 * 60_000 } as const;
export const REVOCATION_SPREAD_MS = 60_000;

/** An outage proves nothing about the token: it neither adds an authentication failure nor resets them. */
export function authFailuresAfter(
  state: SessionState,
  failure: Failure,
  context: SessionContext,
): SessionState['authFailures'] {
  if (!context.mayProvision || state.at !== 'deliver' || failure.reason !== 'unauthorized')
    return state.authFailures;
  const { count, sinceMs } = state.authFailures ?? { count: 0, sinceMs: context.monotonicMs };
  return { count: count + 1, sinceMs };
}

/**
 * Remaining time until the next rejection revokes the token, and up to a minute more, because a fleet may be affected, ms; Infinity
 * if none will. Back-off alone would delay the verdict by many minutes.
 */
export function untilRevokedMs(
  state: SessionState,
  authFailures: SessionState['authFailures'],
  context: SessionContext,
): number {
  if (!authFailures || authFailures === state.authFailures) return Number.POSITIVE_INFINITY;
  const leftMs = authFailures.sinceMs + REVOCATION_THRESHOLD.forMs - context.monotonicMs;
  if (leftMs <= 0) return Number.POSITIVE_INFINITY;
  return Math.max(WAIT_MIN_MS, leftMs + Math.round(context.random * REVOCATION_SPREAD_MS));
}

export function isRevoked(
  authFailures: NonNullable<SessionState['authFailures']>,
  context: SessionContext,
): boolean {
  return (
    authFailures.count >= REVOCATION_THRESHOLD.count &&
    context.monotonicMs - authFailures.sinceMs >= REVOCATION_THRESHOLD.forMs
  );
}

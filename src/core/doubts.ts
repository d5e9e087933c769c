/**
 * Doubts about a token that worked: when the server's refusals amount to a revocation.
 *
 * Never on one answer, which may be a server being restored from a backup; never on an outage.
 */

import type { Refusal } from './refusal.ts';
import type { Context, State } from './session-state.ts';

/**
 * A token counts as revoked after so many refusals over so long: one answer may be a server being restored.
 */
export const DOUBTS = { count: 5, forMs: 5 * 60_000 } as const;

/** An outage says nothing about the token: it neither adds a doubt nor takes one away. */
export function doubtsAfter(state: State, refusal: Refusal, context: Context): State['doubts'] {
  if (!context.mayProvision || state.at !== 'deliver' || refusal.reason !== 'unauthorized')
    return state.doubts;
  const { count, sinceMs } = state.doubts ?? { count: 0, sinceMs: context.monotonicMs };
  return { count: count + 1, sinceMs };
}

export function isRevoked(doubts: NonNullable<State['doubts']>, context: Context): boolean {
  return doubts.count >= DOUBTS.count && context.monotonicMs - doubts.sinceMs >= DOUBTS.forMs;
}

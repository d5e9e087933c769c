/** Checks of the access token that all transports share: before a request, and after its rejection. */

import type { Failure, Result } from '../core/failures/failure.ts';
import type { Secret } from '../core/model/secret.ts';

/** Why a transport cannot carry the token: continues "the access token …". Undefined: it can. */
export type TokenObstacle = (token: Secret) => string | undefined;

/** The failure of each request with a token that the transport cannot carry; undefined if it can. */
export function unsuitableToken(token: Secret, obstacleOf: TokenObstacle): Failure | undefined {
  const obstacle = obstacleOf(token);
  return obstacle === undefined
    ? undefined
    : { reason: 'token-unsuitable', detail: `the access token ${obstacle}` };
}

/**
 * A rejected token must be rejected by ThingsBoard itself, because it starts provisioning again. The failure of a post; `unauthorized` only if the probe confirms that the server rejects the token. Otherwise a
 * program in front of ThingsBoard rejected the post, or it is unknown who did.
 */
export async function confirmUnauthorized(
  failure: Failure,
  probe: () => Promise<Result<boolean>>,
): Promise<Failure> {
  if (failure.reason !== 'unauthorized') return failure;
  const accepted = await probe();
  if (!accepted.ok) return accepted.failure;
  if (!accepted.value) return failure;
  const detail = `${failure.detail} to a post, although the server accepts the token`;
  return { reason: 'request-blocked', detail };
}

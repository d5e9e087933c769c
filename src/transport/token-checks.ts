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
 * The failure of a post; `unauthorized` only if a probe confirms that the server rejects the token, because that starts
 * provisioning again. Otherwise a program in front of ThingsBoard rejected the post, or it is unknown who did.
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

/**
 * Whether the server accepts the token, from the classified response to a probe. A rejection counts only if the responder also
 * identifies itself as ThingsBoard.
 */
export async function probeResult<Response>(
  classified: true | Failure,
  identify: () => Promise<Result<Response>>,
  classifyIdentification: (response: Response) => Failure | undefined,
): Promise<Result<boolean>> {
  if (classified === true) return { ok: true, value: true };
  if (classified.reason !== 'unauthorized') return { ok: false, failure: classified };
  const identified = await identify();
  if (!identified.ok) return identified;
  const failure = classifyIdentification(identified.value);
  return failure ? { ok: false, failure } : { ok: true, value: false };
}

/** A rejected token must be rejected by ThingsBoard itself, because it starts provisioning again. */

import type { Failure, Result } from '../core/failures/failure.ts';

/**
 * The failure of a post; `unauthorized` only if the probe confirms that the server rejects the token. Otherwise a
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

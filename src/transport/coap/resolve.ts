/**
 * Names to addresses, for IPv4 and IPv6, within a deadline.
 *
 * Asks the host's own resolver (getaddrinfo: /etc/hosts, mDNS, systemd-resolved count), in the order it gives
 * (RFC 6724). A literal is returned as it is.
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { LinkedAbort } from '../../core/linked-abort.ts';
import type { Clock, Result } from '../../core/ports.ts';
import { networkRefusal } from './network-refusal.ts';
import type { Peer } from './peer.ts';

/** Addresses of one name that are tried; more are left out. */
const ADDRESSES_MAX = 8;
/** The resolver's own time-outs can add up to minutes; the request comes back sooner, ms. */
export const RESOLVE_MS = 10_000;

/** One or more peers, or why there is none. */
export async function resolvePeers(
  host: string,
  port: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<readonly [Peer, ...Peer[]]>> {
  const literal = isIP(host);
  if (literal !== 0) return { ok: true, value: [{ address: host, family: literal === 6 ? 6 : 4, port }] };
  const asked = lookup(host, { all: true, verbatim: true }).then(
    (found) => found.slice(0, ADDRESSES_MAX),
    (error: unknown) => ({ error }),
  );
  using wait = new LinkedAbort(signal);
  const answer = await Promise.race([asked, clock.sleep(RESOLVE_MS, wait.signal).then(() => undefined)]);
  wait.abort();
  if (!answer) {
    const detail = signal.aborted ? 'stopping' : `${host}: no name server answered in ${RESOLVE_MS / 1000} s`;
    return { ok: false, refusal: { reason: signal.aborted ? 'aborted' : 'name-not-found', detail } };
  }
  if ('error' in answer) return { ok: false, refusal: networkRefusal(answer.error, host) };
  const [first, ...rest] = answer.map(
    ({ address, family }): Peer => ({ address, family: family === 6 ? 6 : 4, port }),
  );
  if (!first)
    return { ok: false, refusal: { reason: 'name-not-found', detail: `${host}: the name has no address` } };
  return { ok: true, value: [first, ...rest] };
}

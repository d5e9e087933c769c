/**
 * Names to addresses, for IPv4 and IPv6, within a deadline.
 *
 * Asks the host's own resolver (getaddrinfo: /etc/hosts, mDNS, systemd-resolved count), in the order it gives
 * (RFC 6724). A literal is returned as it is.
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { LinkedAbort } from '../core/async/abort.ts';
import type { Result } from '../core/failures/failure.ts';
import { aborted } from '../core/failures/failure.ts';
import type { Clock } from '../core/ports/clock.ts';
import { networkRefusal } from './network-failure.ts';
import type { Peer } from './socket-address.ts';

/** Addresses of one name that are tried; more are left out. */
const ADDRESSES_MAX = 8;
/** The resolver's own time-outs can add up to minutes; the request comes back sooner, ms. */
export const RESOLVE_MS = 10_000;

/** One or more peers, or why there is none. */
export type Resolve = (
  host: string,
  port: number,
  clock: Clock,
  signal: AbortSignal,
) => Promise<Result<readonly [Peer, ...Peer[]]>>;

type Found = { readonly address: string; readonly family: number }[] | { readonly error: unknown };

/**
 * A resolver of this host. A question that is still open when its deadline has passed is not asked a second
 * time beside it: each holds one of the four threads that file operations need too.
 */
export function createResolver(): Resolve {
  const open = new Map<string, Promise<Found>>();
  const ask = (host: string): Promise<Found> => {
    const asked =
      open.get(host) ??
      lookup(host, { all: true, verbatim: true })
        .then(
          (found) => found.slice(0, ADDRESSES_MAX),
          (error: unknown) => ({ error }),
        )
        .finally(() => open.delete(host));
    open.set(host, asked);
    return asked;
  };
  return async (host, port, clock, signal) => {
    const literal = isIP(host);
    if (literal !== 0) return { ok: true, value: [{ address: host, family: literal === 6 ? 6 : 4, port }] };
    using wait = new LinkedAbort(signal);
    const answer = await Promise.race([
      ask(host),
      clock.sleep(RESOLVE_MS, wait.signal).then(() => undefined),
    ]);
    wait.abort();
    return answer ? peersOf(answer, host, port) : unanswered(host, signal);
  };
}

function unanswered(host: string, signal: AbortSignal): Result<never> {
  if (signal.aborted) return aborted();
  const detail = `${host}: no name server answered in ${RESOLVE_MS / 1000} s`;
  return { ok: false, refusal: { reason: 'name-not-found', detail } };
}

function peersOf(answer: Found, host: string, port: number): Result<readonly [Peer, ...Peer[]]> {
  if ('error' in answer) return { ok: false, refusal: networkRefusal(answer.error, host) };
  const [first, ...rest] = answer.map(
    ({ address, family }): Peer => ({ address, family: family === 6 ? 6 : 4, port }),
  );
  if (first) return { ok: true, value: [first, ...rest] };
  return { ok: false, refusal: { reason: 'name-not-found', detail: `${host}: the name has no address` } };
}

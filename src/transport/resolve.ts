/**
 * Names to addresses, for IPv4 and IPv6, within a deadline.
 *
 * Asks the host's own resolver (getaddrinfo: /etc/hosts, mDNS, systemd-resolved count), in the order it gives
 * (RFC 6724). A literal is returned as it is.
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ChildAbortController } from '../core/async/abort.ts';
import type { Result } from '../core/failures/failure.ts';
import { aborted } from '../core/failures/failure.ts';
import type { Clock } from '../core/ports/clock.ts';
import { networkFailure } from './network-failure.ts';
import type { SocketAddress } from './socket-address.ts';

/** Addresses of one name that are tried; more are left out. */
const ADDRESSES_MAX = 8;
/** The resolver's own time-outs can add up to minutes; the request comes back sooner, ms. */
export const RESOLVE_TIMEOUT_MS = 10_000;

/** One or more peers, or why there is none. */
export type Resolve = (
  host: string,
  port: number,
  clock: Clock,
  signal: AbortSignal,
) => Promise<Result<readonly [SocketAddress, ...SocketAddress[]]>>;

type LookupResult = { readonly address: string; readonly family: number }[] | { readonly error: unknown };

/**
 * A resolver of this host. A question that is still open when its deadline has passed is not asked a second
 * time beside it: each holds one of the four threads that file operations need too.
 */
export function createResolver(): Resolve {
  const openLookups = new Map<string, Promise<LookupResult>>();
  const lookUpOnce = (host: string): Promise<LookupResult> => {
    const lookupPromise =
      openLookups.get(host) ??
      lookup(host, { all: true, verbatim: true })
        .then(
          (addresses) => addresses.slice(0, ADDRESSES_MAX),
          (error: unknown) => ({ error }),
        )
        .finally(() => openLookups.delete(host));
    openLookups.set(host, lookupPromise);
    return lookupPromise;
  };
  return async (host, port, clock, signal) => {
    const literal = isIP(host);
    if (literal !== 0) return { ok: true, value: [{ address: host, family: literal === 6 ? 6 : 4, port }] };
    using timer = new ChildAbortController(signal);
    const result = await Promise.race([
      lookUpOnce(host),
      clock.sleep(RESOLVE_TIMEOUT_MS, timer.signal).then(() => undefined),
    ]);
    timer.abort();
    return result ? toAddresses(result, host, port) : noAnswer(host, signal);
  };
}

function noAnswer(host: string, signal: AbortSignal): Result<never> {
  if (signal.aborted) return aborted();
  const detail = `${host}: no name server answered in ${RESOLVE_TIMEOUT_MS / 1000} s`;
  return { ok: false, failure: { reason: 'dns-failed', detail } };
}

function toAddresses(
  result: LookupResult,
  host: string,
  port: number,
): Result<readonly [SocketAddress, ...SocketAddress[]]> {
  if ('error' in result) return { ok: false, failure: networkFailure(result.error, host) };
  const [first, ...rest] = result.map(
    ({ address, family }): SocketAddress => ({ address, family: family === 6 ? 6 : 4, port }),
  );
  if (first) return { ok: true, value: [first, ...rest] };
  return { ok: false, failure: { reason: 'dns-failed', detail: `${host}: the name has no address` } };
}

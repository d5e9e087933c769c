/**
 * Resolves host names to IPv4 and IPv6 addresses within a deadline, with the resolver of the host
 * (getaddrinfo: /etc/hosts, mDNS and systemd-resolved apply) and in its order (RFC 6724).
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ChildAbortController } from '../core/async/abort.ts';
import type { Result } from '../core/failures/failure.ts';
import { aborted } from '../core/failures/failure.ts';
import type { Clock } from '../core/ports/clock.ts';
import { networkFailure } from './network-failure.ts';

/** IP address and port of a peer. */
export interface SocketAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** `192.0.2.7:5683` or `[2001:db8::7]:5683`. */
export function formatAddress(peer: SocketAddress): string {
  return peer.family === 6 ? `[${peer.address}]:${peer.port}` : `${peer.address}:${peer.port}`;
}

/** Further addresses of a name are ignored. */
const ADDRESSES_MAX = 8;
/** The resolver's own timeouts can add up to minutes, ms. */
export const RESOLVE_TIMEOUT_MS = 10_000;

/** At least one address, or the failure. An IP literal is returned as it is. */
export type Resolve = (
  host: string,
  port: number,
  clock: Clock,
  signal: AbortSignal,
) => Promise<Result<readonly [SocketAddress, ...SocketAddress[]]>>;

type LookupResult = { readonly address: string; readonly family: number }[] | { readonly error: unknown };

/**
 * Runs at most one lookup per name, even after its deadline: each lookup occupies one of the four threads of
 * the pool, which file operations need too.
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
    return result ? toAddresses(result, host, port) : lookupTimeout(host, signal);
  };
}

function lookupTimeout(host: string, signal: AbortSignal): Result<never> {
  if (signal.aborted) return aborted();
  const detail = `${host}: no DNS server responded within ${RESOLVE_TIMEOUT_MS / 1000} s`;
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
  return { ok: false, failure: { reason: 'dns-failed', detail: `${host}: the host name has no address` } };
}

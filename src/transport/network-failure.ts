/**
 * Maps error codes of sockets and of the resolver to failures. The detail contains the code, for unexpected
 * ones. Codes: connect(2), udp(7), tcp(7), ip(7), getaddrinfo(3).
 */

import type { Failure, FailureReason } from '../core/failures/failure.ts';
import { errorCode } from '../core/model/error-code.ts';

const REASONS: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: 'port-closed',
  ENOTFOUND: 'dns-failed',
  EAI_AGAIN: 'dns-failed',
  EAI_NODATA: 'dns-failed',
  EAI_NONAME: 'dns-failed',
  EAI_FAIL: 'dns-failed',
  ENODATA: 'dns-failed',
  ETIMEDOUT: 'server-timeout',
  ECONNRESET: 'connection-reset',
  ECONNABORTED: 'connection-reset',
  EPIPE: 'connection-reset',
};

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'port closed',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EADDRNOTAVAIL: 'this host has no address of that family',
  EPERM: 'blocked by the firewall of this host',
  EACCES: 'permission denied by this host',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'no DNS server responds',
  ETIMEDOUT: 'connection timed out',
  ECONNRESET: 'connection reset by the peer',
  EPIPE: 'connection closed by the peer',
};

/** Carries a failure through callbacks and events that accept only errors. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.detail);
    this.failure = failure;
  }
}

/**
 * `target` is the address or the host name. An unknown code becomes `no-route`, which is retried like any
 * network failure. A `FailureError` has its failure already.
 */
export function networkFailure(error: unknown, target: string): Failure {
  if (error instanceof FailureError) return error.failure;
  const code = errorCode(error) ?? 'unknown';
  const description = DESCRIPTIONS[code];
  return {
    reason: REASONS[code] ?? 'no-route',
    detail: `${target}: ${description ? `${description} (${code})` : code}`,
  };
}

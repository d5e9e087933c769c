/**
 * What the operating system says about the network, as a refusal.
 *
 * Source of the codes: connect(2), udp(7), tcp(7), ip(7), getaddrinfo(3). The code is kept in the detail, so that a
 * surprising one can be looked up.
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
  EADDRNOTAVAIL: 'no address of that kind on this host',
  EPERM: 'forbidden by a firewall of this host',
  EACCES: 'forbidden on this host',
  ENOTFOUND: 'the name does not exist',
  EAI_AGAIN: 'no name server answers',
  ETIMEDOUT: 'no answer to the connection',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
};

/**
 * `where` is the peer or the name asked for. Everything unknown counts as "no route": it heals with the
 * network or not at all.
 */
export function networkFailure(error: unknown, target: string): Failure {
  const code = errorCode(error) ?? 'unknown';
  const description = DESCRIPTIONS[code];
  return {
    reason: REASONS[code] ?? 'no-route',
    detail: `${target}: ${description ? `${description} (${code})` : code}`,
  };
}

/**
 * What the operating system says about the network, as a refusal.
 *
 * Source of the codes: connect(2), udp(7), tcp(7), ip(7), getaddrinfo(3). The code is kept in the detail, so that a
 * surprising one can be looked up.
 */

import type { Refusal, RefusalReason } from '../core/failures/failure.ts';
import { errorCode } from '../core/model/error-code.ts';

const REASONS: Readonly<Record<string, RefusalReason>> = {
  ECONNREFUSED: 'port-closed',
  ENOTFOUND: 'name-not-found',
  EAI_AGAIN: 'name-not-found',
  EAI_NODATA: 'name-not-found',
  EAI_NONAME: 'name-not-found',
  EAI_FAIL: 'name-not-found',
  ENODATA: 'name-not-found',
  ETIMEDOUT: 'silent',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
};

const WORDS: Readonly<Record<string, string>> = {
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
export function networkRefusal(error: unknown, where: string): Refusal {
  const code = errorCode(error) ?? 'unknown';
  const words = WORDS[code];
  return { reason: REASONS[code] ?? 'no-route', detail: `${where}: ${words ? `${words} (${code})` : code}` };
}

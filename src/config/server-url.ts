/**
 * The server's address: coap://host[:port] and nothing more, in; a ServerAddress or the reason why not, out.
 *
 * Parsed by hand, since WHATWG URL knows no coap and would accept, decode and reorder what an operator did not
 * mean. A host is a DNS name, an IPv4 address, or an IPv6 address in brackets. User information, path, query
 * and fragment are refused: the agent would have to ignore them, and a password ignored is a password in a log.
 */

import { isIPv4, isIPv6 } from 'node:net';
import type { ServerAddress } from '../core/config.ts';

const COAP_PORT = 5683;
const DNS_NAME_MAX = 253;
const DNS_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** The address, or what is wrong with it, as the continuation of a sentence. */
export function parseServerUrl(url: string): ServerAddress | string {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  if (scheme === undefined || rest === undefined) return 'is not a URL';
  if (scheme.toLowerCase() !== 'coap') return 'has a scheme that is not supported; supported: coap';
  if (rest.includes('@')) return 'has user information, which does not belong here';
  if (/[/?#]/.test(rest)) return 'has a path, a query or a fragment after the host';
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(rest) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return 'has a host that is none (an IPv6 address needs brackets)';
  if (bracketed === undefined ? !isHostName(host) : !isIPv6(host)) return 'has a host that is none';
  const port = digits === undefined ? COAP_PORT : parsePort(digits);
  if (port === undefined) return 'has a port that is none';
  return { url, scheme: 'coap', host, port };
}

function isHostName(host: string): boolean {
  if (isIPv4(host)) return true;
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  // All digits at the end, yet no IPv4 address: a slip of the pen such as 192.168.1.256.
  return host.length <= DNS_NAME_MAX && labels.every((label) => DNS_LABEL.test(label)) && !/^\d+$/.test(last);
}

function parsePort(digits: string): number | undefined {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/**
 * The server's addresses: coap://host[:port], http:// or https://, one or several, in; ServerAddresses or the reason why
 * not, out.
 *
 * Parsed by hand, since WHATWG URL knows no coap and would accept, decode and reorder what an operator did not
 * mean. A host is a DNS name, an IPv4 address, or an IPv6 address in brackets. User information, path, query
 * and fragment are refused: the agent would have to ignore them, and a password ignored is a password in a log.
 */

import { isIPv4, isIPv6 } from 'node:net';
import type { ServerAddress } from '../../core/model/config.ts';

export const ENDPOINTS_MAX = 8;

const PORTS = { coap: 5683, http: 80, https: 443 } as const;
const DNS_NAME_MAX = 253;
const DNS_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** One URL or several, separated by commas, in the order of preference; or what is wrong with them. */
export function parseServerUrls(text: string): readonly [ServerAddress, ...ServerAddress[]] | string {
  const endpoints: ServerAddress[] = [];
  const urls = text.split(',').map((url) => url.trim());
  if (urls.length > ENDPOINTS_MAX) return `has more than ${ENDPOINTS_MAX} URLs`;
  for (const [index, url] of urls.entries()) {
    const position = urls.length === 1 ? '' : ` in URL ${index + 1}`;
    const endpoint = parseServerUrl(url);
    if (typeof endpoint === 'string') return `${endpoint}${position}`;
    if (endpoints.some((other) => isSameEndpoint(other, endpoint)))
      return `has the same URL twice${position}`;
    endpoints.push(endpoint);
  }
  const [first, ...rest] = endpoints;
  return first ? [first, ...rest] : 'is empty';
}

function isSameEndpoint(one: ServerAddress, other: ServerAddress): boolean {
  return (
    one.scheme === other.scheme &&
    one.port === other.port &&
    one.host.toLowerCase() === other.host.toLowerCase()
  );
}

/** The address, or what is wrong with it, as the continuation of a sentence. */
export function parseServerUrl(url: string): ServerAddress | string {
  const [, schemeText, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  if (schemeText === undefined || rest === undefined) return 'is not a URL';
  const scheme = schemeText.toLowerCase();
  if (!isSupportedScheme(scheme)) return 'has a scheme that is not supported; supported: coap, http, https';
  if (rest.includes('@')) return 'has user information, which does not belong here';
  const authority = parseAuthority(rest, PORTS[scheme]);
  return typeof authority === 'string' ? authority : { url, scheme, ...authority };
}

function isSupportedScheme(scheme: string): scheme is keyof typeof PORTS {
  return Object.hasOwn(PORTS, scheme);
}

/** `host[:port]`, or what is wrong with it. */
export function parseAuthority(
  text: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } | string {
  if (/[/?#]/.test(text)) return 'has a path, a query or a fragment after the host';
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return 'has a host that is none (an IPv6 address needs brackets)';
  if (bracketed === undefined ? !isHostName(host) : !isIPv6(host)) return 'has a host that is none';
  const port = digits === undefined ? defaultPort : parsePort(digits);
  return port === undefined ? 'has a port that is none' : { host, port };
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

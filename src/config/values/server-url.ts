/**
 * Parses server.url: one or several of coap://host[:port], coaps://, http:// and https://.
 *
 * Parsed by hand, because WHATWG URL does not know coap and accepts, decodes and reorders too much. User information, path, query
 * and fragment are invalid: the agent would have to ignore them, and an ignored password ends up in a log.
 */

import { isIPv4, isIPv6 } from 'node:net';
import type { ServerAddress } from '../../core/model/config.ts';

export const ENDPOINTS_MAX = 8;

const PORTS = { coap: 5683, coaps: 5684, http: 80, https: 443 } as const;
const DNS_NAME_MAX = 253;
const DNS_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** One or several URLs, separated by commas, in order of preference. A string result is the problem. */
export function parseServerUrls(text: string): readonly [ServerAddress, ...ServerAddress[]] | string {
  const endpoints: ServerAddress[] = [];
  const urls = text.split(',').map((url) => url.trim());
  if (urls.length > ENDPOINTS_MAX) return `has more than ${ENDPOINTS_MAX} URLs`;
  for (const [index, url] of urls.entries()) {
    const position = urls.length === 1 ? '' : ` in URL ${index + 1}`;
    const endpoint = parseServerUrl(url);
    if (typeof endpoint === 'string') return `${endpoint}${position}`;
    if (endpoints.some((other) => isSameEndpoint(other, endpoint))) return `has URL ${index + 1} twice`;
    endpoints.push(endpoint);
  }
  const [first, ...rest] = endpoints;
  return first ? [first, ...rest] : 'is empty';
}

/** The same text for every spelling of one server's URL. */
export function endpointId({ scheme, host, port }: ServerAddress): string {
  const normalised = host.toLowerCase().replace(/\.$/, '');
  return `${scheme}://${normalised.includes(':') ? `[${normalised}]` : normalised}:${port}`;
}

function isSameEndpoint(one: ServerAddress, other: ServerAddress): boolean {
  return (
    one.scheme === other.scheme &&
    one.port === other.port &&
    one.host.toLowerCase() === other.host.toLowerCase()
  );
}

/** A string result is the problem, continuing `<key> = <value> …`. */
export function parseServerUrl(url: string): ServerAddress | string {
  const [, schemeText, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  if (schemeText === undefined || rest === undefined) return 'is not a URL';
  const scheme = schemeText.toLowerCase();
  if (!isSupportedScheme(scheme)) return 'has an unsupported scheme; supported: coap, coaps, http, https';
  if (rest.includes('@')) return 'has user information, which is not allowed';
  const authority = parseAuthority(rest, PORTS[scheme]);
  return typeof authority === 'string' ? authority : { url, scheme, ...authority };
}

function isSupportedScheme(scheme: string): scheme is keyof typeof PORTS {
  return Object.hasOwn(PORTS, scheme);
}

/** Parses `host[:port]`; the host is a DNS name, an IPv4 address, or an IPv6 address in brackets. A string is the problem. */
export function parseAuthority(
  text: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } | string {
  if (/[/?#]/.test(text)) return 'has a path, a query or a fragment after the host';
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return 'has an invalid host (an IPv6 address needs brackets)';
  if (bracketed === undefined ? !isHostName(host) : !isIPv6(host)) return 'has an invalid host';
  const port = digits === undefined ? defaultPort : parsePort(digits);
  return port === undefined ? 'has an invalid port' : { host, port };
}

function isHostName(host: string): boolean {
  if (isIPv4(host)) return true;
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  // A name cannot end with digits only; 192.168.1.256 is a typing error.
  return host.length <= DNS_NAME_MAX && labels.every((label) => DNS_LABEL.test(label)) && !/^\d+$/.test(last);
}

function parsePort(digits: string): number | undefined {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

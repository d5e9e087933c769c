/** Scheme, host and port of an HTTP server, their text forms, and the redirects that may be followed. */

import type { Result } from '../../core/failures/failure.ts';

export interface Origin {
  readonly scheme: 'http' | 'https';
  /** A name, an IPv4 literal, or an IPv6 literal without brackets. */
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** `tb.example.com:443`, `[2001:db8::7]:8080`: for CONNECT and failure details. */
export function formatAuthority({ host, port }: Pick<Origin, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The Host header: without the default port of the scheme (RFC 9110 section 7.2). */
export function hostHeader(origin: Origin): string {
  const hostAndPort = formatAuthority(origin);
  return origin.port === DEFAULT_PORTS[origin.scheme]
    ? hostAndPort.slice(0, hostAndPort.lastIndexOf(':'))
    : hostAndPort;
}

export function formatOrigin(origin: Origin): string {
  return `${origin.scheme}://${hostHeader(origin)}`;
}

export interface Redirect {
  readonly origin: Origin;
  /** With the query. It may contain the token. */
  readonly path: string;
}

/**
 * Resolves `location` relative to `path` at `from`. Only a redirect to the same host is followed, and none
 * from https to http. A failure names only the host, because the rest of the URL may contain the token.
 */
export function resolveRedirect(location: string | undefined, path: string, from: Origin): Result<Redirect> {
  const url = location === undefined ? undefined : parseUrl(location, `${formatOrigin(from)}${path}`);
  if (!url) return fail('redirect-not-followed', 'redirect without a valid Location header');
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'http' && scheme !== 'https')
    return fail('redirect-not-followed', 'redirect to a URL that is not HTTP or HTTPS');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host.toLowerCase() !== from.host.toLowerCase()) {
    return fail('captive-portal', `redirect to another host, ${host.slice(0, 80)}`);
  }
  if (from.scheme === 'https' && scheme === 'http') {
    return fail('redirect-not-followed', 'redirect from https to http');
  }
  const port = url.port === '' ? DEFAULT_PORTS[scheme] : Number(url.port);
  return {
    ok: true,
    value: { origin: { scheme, host: from.host, port }, path: `${url.pathname}${url.search}` },
  };
}

function parseUrl(location: string, base: string): URL | undefined {
  return URL.canParse(location, base) ? new URL(location, base) : undefined;
}

function fail(reason: 'redirect-not-followed' | 'captive-portal', detail: string): Result<never> {
  return { ok: false, failure: { reason, detail } };
}

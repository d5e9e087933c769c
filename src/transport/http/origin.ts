/**
 * An origin: scheme, host and port of an HTTP server, how it is written, and where a redirect may lead from it.
 */

import type { Result } from '../../core/failures/failure.ts';

export interface Origin {
  readonly scheme: 'http' | 'https';
  /** A name, an IPv4 or an IPv6 literal without brackets. */
  readonly host: string;
  readonly port: number;
}

const USUAL_PORT = { http: 80, https: 443 } as const;

/** `tb.example.com:443`, `[2001:db8::7]:8080`: as CONNECT and refusals name it. */
export function authority({ host, port }: Pick<Origin, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The Host header: without a port that goes without saying (RFC 9110 section 7.2). */
export function hostHeader(origin: Origin): string {
  const whole = authority(origin);
  return origin.port === USUAL_PORT[origin.scheme] ? whole.slice(0, whole.lastIndexOf(':')) : whole;
}

export function written(origin: Origin): string {
  return `${origin.scheme}://${hostHeader(origin)}`;
}

export interface Redirect {
  readonly origin: Origin;
  /** With the query; it may hold the token. */
  readonly path: string;
}

/**
 * Where `location` leads from `path` at `from`: to the same host only, and never from https to http. What is refused is
 * told by its host alone, because the rest may hold the token.
 */
export function redirectOf(location: string | undefined, path: string, from: Origin): Result<Redirect> {
  const url = location === undefined ? undefined : parsed(location, `${written(from)}${path}`);
  if (!url) return refused('redirected', 'a redirect to nowhere');
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'http' && scheme !== 'https')
    return refused('redirected', 'a redirect to something not HTTP');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host.toLowerCase() !== from.host.toLowerCase()) {
    return refused('captive-portal', `a redirect to another host, ${host.slice(0, 80)}`);
  }
  if (from.scheme === 'https' && scheme === 'http') {
    return refused('redirected', 'a redirect from https to http');
  }
  const port = url.port === '' ? USUAL_PORT[scheme] : Number(url.port);
  return {
    ok: true,
    value: { origin: { scheme, host: from.host, port }, path: `${url.pathname}${url.search}` },
  };
}

function parsed(location: string, base: string): URL | undefined {
  return URL.canParse(location, base) ? new URL(location, base) : undefined;
}

function refused(reason: 'redirected' | 'captive-portal', detail: string): Result<never> {
  return { ok: false, refusal: { reason, detail } };
}

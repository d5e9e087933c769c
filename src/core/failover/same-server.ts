/**
 * When two URLs are those of one server, as far as credentials are concerned: `scheme://host:port`, as cli/naming.ts writes them.
 *
 * The same URL, or the same host by another scheme: a gateway that moves from CoAP to HTTPS must find its credentials, and
 * the ports of two schemes say nothing about each other. The same scheme at another port is another server.
 */

/** True when some URL of the one list and some URL of the other are of one server. */
export function isSameServer(urls: readonly string[], otherUrls: readonly string[]): boolean {
  return urls.some((url) =>
    otherUrls.some((otherUrl) => url === otherUrl || isSameHostOtherScheme(url, otherUrl)),
  );
}

function isSameHostOtherScheme(url: string, otherUrl: string): boolean {
  const [a, b] = [parseUrl(url), parseUrl(otherUrl)];
  return a !== undefined && b !== undefined && a.host === b.host && a.scheme !== b.scheme;
}

function parseUrl(url: string): { readonly scheme: string; readonly host: string } | undefined {
  const [, scheme, host] = /^([a-z]+):\/\/(.+?)(?::\d+)?$/.exec(url) ?? [];
  return scheme === undefined || host === undefined ? undefined : { scheme, host };
}

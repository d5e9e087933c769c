/**
 * Whether two URLs (`scheme://host:port`) belong to one server as far as credentials are concerned.
 *
 * The same URL, or the same host with another scheme: a gateway that moves from CoAP to HTTPS must find its
 * credentials, and the ports of two schemes are unrelated. The same scheme with another port is another
 * server.
 */

/** True if any URL of one list and any URL of the other belong to one server. */
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

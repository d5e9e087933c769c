/**
 * When two URLs are those of one server, as far as credentials are concerned: `scheme://host:port`, as cli/naming.ts writes them.
 *
 * The same URL, or the same host by another scheme: a gateway that moves from CoAP to HTTPS must find its credentials, and
 * the ports of two schemes say nothing about each other. The same scheme at another port is another server.
 */

/** True when some URL of the one list and some URL of the other are of one server. */
export function isSameServer(ones: readonly string[], others: readonly string[]): boolean {
  return ones.some((one) => others.some((other) => one === other || isOtherRoad(one, other)));
}

function isOtherRoad(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)];
  return a !== undefined && b !== undefined && a.host === b.host && a.scheme !== b.scheme;
}

function partsOf(url: string): { readonly scheme: string; readonly host: string } | undefined {
  const [, scheme, host] = /^([a-z]+):\/\/(.+?)(?::\d+)?$/.exec(url) ?? [];
  return scheme === undefined || host === undefined ? undefined : { scheme, host };
}

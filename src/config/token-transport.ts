/**
 * Compares the configured access token with the transports of server.url. HTTP cannot carry some characters that CoAP can
 * (core/model/access-token.ts): with such a token, a failover to HTTP would fail. Over CoAP alone it works.
 */

import { httpObstacle } from '../core/model/access-token.ts';
import type { Config } from '../core/model/config.ts';
import type { Secret } from '../core/model/secret.ts';
import type { Source } from './errors/problem.ts';
import { settings } from './schema/settings.ts';
import type { Reader } from './sources/reader.ts';

export interface ConfiguredToken {
  readonly token?: Secret;
  readonly tokenSource?: Source;
}

type Endpoints = Config['server']['endpoints'];

/**
 * `what` continues "the access token …". A problem if a URL of server.url is http or https, else a warning. Undefined:
 * the token fits every transport.
 */
export function compareTokenTransport(
  token: Secret,
  endpoints: Endpoints,
): { readonly is: 'problem' | 'warning'; readonly what: string } | undefined {
  const obstacle = httpObstacle(token);
  if (obstacle === undefined) return undefined;
  const what = `${obstacle}, which works over coap and coaps only, because the web server of ThingsBoard rejects it`;
  return { is: endpoints.every(isCoap) ? 'warning' : 'problem', what };
}

/**
 * Adds the problem to `reader`, or returns the warning. `isService`: a service that works with such a token must not stop at
 * an upgrade, so it uses CoAP if it can.
 */
export function checkTokenTransport(
  { token, tokenSource }: ConfiguredToken,
  endpoints: Endpoints | undefined,
  isService: boolean,
  reader: Reader,
): readonly string[] {
  if (token === undefined || tokenSource === undefined || endpoints === undefined) return [];
  const result = compareTokenTransport(token, endpoints);
  if (result === undefined) return [];
  if (result.is === 'warning' || (isService && endpoints.some(isCoap)))
    return [`${settings.deviceToken.key} ${result.what}: give the device a token of letters and digits`];
  reader.addProblem(settings.deviceToken, { raw: '', source: tokenSource }, result.what);
  return [];
}

function isCoap({ scheme }: Endpoints[number]): boolean {
  return scheme === 'coap' || scheme === 'coaps';
}

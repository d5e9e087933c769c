/**
 * The client certificate as the credentials of the device: ThingsBoard takes it over coaps, and only there (contract
 * section 9). Over https a client certificate is for a proxy in front of ThingsBoard, and the token stays in the path.
 */

import { X509Certificate } from 'node:crypto';
import type { Config } from '../core/model/config.ts';
import { Secret } from '../core/model/secret.ts';
import { problemAt } from './errors/problem.ts';
import { settings } from './schema/settings.ts';
import type { Reader } from './sources/reader.ts';

/**
 * The SHA-256 of the certificate in hexadecimal; undefined if the credentials are a token. A list with another scheme is a
 * problem: a device has either credentials, so that one of its URLs would never work.
 */
export function certificateCredentials(
  { endpoints, tls }: Pick<Config['server'], 'endpoints' | 'tls'>,
  reader: Reader,
): Secret | undefined {
  if (!tls.client || !endpoints.some(({ scheme }) => scheme === 'coaps')) return undefined;
  const other = endpoints.find(({ scheme }) => scheme !== 'coaps');
  const source = reader.sourceOf(settings.serverUrl);
  if (other && source) {
    const what = `contains coaps and ${other.scheme}, and ${settings.serverCertFile.key} is set: with coaps, the certificate is the credentials of the device, which ${other.scheme} cannot carry; remove the other URLs or the certificate`;
    reader.problems.push(problemAt(source, { what, key: settings.serverUrl.key }));
  }
  const { fingerprint256 } = new X509Certificate(tls.client.cert);
  return new Secret(fingerprint256.replaceAll(':', '').toLowerCase());
}

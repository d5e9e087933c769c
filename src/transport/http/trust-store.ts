/**
 * The TLS settings of an https endpoint: TLS 1.2 or later, the CA certificates of the host plus
 * `server.ca-file`. The bundle of the host takes precedence over Node's own list, so that
 * `update-ca-certificates` has an effect.
 */

import { readFile } from 'node:fs/promises';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { TlsSettings } from '../../core/model/config.ts';

/** CA bundles of Debian and Alpine, Fedora, SUSE. */
const SYSTEM_STORES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];

/** Reads the bundle each time. Rejects if OpenSSL cannot use a configured certificate or key. */
export async function createTrustContext({ ca, client }: TlsSettings): Promise<SecureContext> {
  const system = await readSystemStore();
  return createSecureContext({
    ca: [...(system === undefined ? rootCertificates : [system]), ...(ca === undefined ? [] : [ca])],
    minVersion: 'TLSv1.2',
    ...(client && { cert: client.cert, key: client.key.reveal() }),
  });
}

async function readSystemStore(): Promise<Buffer | undefined> {
  for (const path of SYSTEM_STORES) {
    try {
      return await readFile(path);
    } catch {
      // Does not exist here or is not readable.
    }
  }
  return undefined;
}

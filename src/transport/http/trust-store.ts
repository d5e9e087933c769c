/**
 * Whom an https road trusts: the issuers of the host and those of server.ca-file, TLS 1.2 and later, and, where they are
 * given, only certain public keys.
 *
 * Node brings a list of issuers of its own, which no operator maintains; the one of the host is used where there is one,
 * so that `update-ca-certificates` counts.
 */

import { readFile } from 'node:fs/promises';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { TlsSettings } from '../../core/model/config.ts';

/** Where systems keep their issuers: Debian and Alpine, Fedora, SUSE. */
const SYSTEM_STORES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];

/** Read anew for each; a road keeps its own. Rejects when a certificate or key of ours cannot be used. */
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
      // Not of this kind of system, or not ours to read: the next one.
    }
  }
  return undefined;
}

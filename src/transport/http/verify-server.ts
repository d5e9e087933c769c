/**
 * Verifies that a TLS connection leads to the configured server: issuer, host name and dates of its certificate (Node's verdict),
 * then the pinned public keys.
 */

import type { TLSSocket } from 'node:tls';
import type { Failure } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import {
  certificateFailure,
  classifyDates,
  pinFailure,
  type ServerCertificates,
} from '../tls/tls-failure.ts';
import { hostHeader, type Origin } from './origin.ts';
import { serverClockMs } from './server-clock.ts';

/** Why the connection is not to the configured server; undefined: it is. `pins`: empty if no key is pinned. */
export async function verifyServer(
  socket: TLSSocket,
  origin: Origin,
  pins: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  if (!socket.authorized) {
    const failure = certificateFailure(
      String(socket.authorizationError),
      certificatesOf(socket),
      origin.host,
    );
    if (failure.reason !== 'certificate-date-invalid') return failure;
    const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
    const serverMs = await serverClockMs(socket, hostHeader(origin), clock, signal);
    return classifyDates({
      fromMs: Date.parse(from),
      toMs: Date.parse(to),
      hostMs: clock.wallMs(),
      ...(serverMs !== undefined && { serverMs }),
    });
  }
  // A resumed session belongs to a connection whose key was verified.
  if (pins.length === 0 || socket.isSessionReused()) return undefined;
  return pinFailure(certificatesOf(socket).leaf, pins);
}

function certificatesOf(socket: TLSSocket): ServerCertificates {
  const leaf = socket.getPeerCertificate(true);
  const issuer = leaf.issuerCertificate;
  return { leaf: leaf.raw, issuer: issuer && issuer !== leaf ? issuer.raw : undefined };
}

/**
 * Verifies that a TLS connection leads to the configured server: issuer, host name and dates of its certificate (Node's verdict),
 * then the pinned public keys.
 */

import { createHash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Failure } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { hostHeader, type Origin } from './origin.ts';
import { serverClockMs } from './server-clock.ts';
import { certificateFailure, classifyDates } from './tls-failure.ts';

/** Why the connection is not to the configured server; undefined: it is. `pins`: empty if no key is pinned. */
export async function verifyServer(
  socket: TLSSocket,
  origin: Origin,
  pins: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  if (!socket.authorized) {
    const failure = certificateFailure(String(socket.authorizationError), socket, origin.host);
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
  const pin = pinOf(socket.getPeerCertificate().raw);
  return pins.includes(pin)
    ? undefined
    : { reason: 'certificate-pin-mismatch', detail: `pin of the server's key: ${pin}` };
}

/** SHA-256 of the public key (SPKI) of a certificate in DER, Base64: the form of `server.pin-sha256`. */
export function pinOf(der: Buffer): string {
  const key = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

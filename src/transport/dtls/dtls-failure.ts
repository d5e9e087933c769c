/** Maps what the helper reports to failures; by the same rules as for https (transport/tls/). */

import { constants } from 'node:os';
import type { Failure } from '../../core/failures/failure.ts';
import { networkFailure } from '../network-failure.ts';
import {
  certificateFailure,
  classifyDates,
  parseCertificate,
  handshakeFailure as tlsFailure,
} from '../tls/tls-failure.ts';
import type { HelperEvent } from './frames.ts';
import type { HelperEnd } from './helper-process.ts';

export interface HandshakeContext {
  /** What the certificate must be for. */
  readonly host: string;
  /** The address and port, for the detail. */
  readonly target: string;
  /** Unix ms. */
  readonly hostMs: number;
}

export function handshakeFailure(
  { code, leaf, issuer }: Extract<HelperEvent, { type: 'failed' }>,
  { host, target, hostMs }: HandshakeContext,
): Failure {
  if (Object.hasOwn(constants.errno, code)) return networkFailure({ code }, target);
  if (code === 'PROTOCOL' || code.startsWith('ALERT_')) return tlsFailure(code, target);
  if (code === 'SETTINGS') {
    const detail = 'OpenSSL cannot use the configured CA, client certificate or key';
    return { reason: 'client-certificate-rejected', detail };
  }
  const failure = certificateFailure(code, { leaf, issuer }, host);
  const certificate = parseCertificate(leaf);
  if (failure.reason !== 'certificate-date-invalid' || !certificate) return failure;
  // There is no clock of the server to compare: CoAP has no Date.
  return classifyDates({
    fromMs: Date.parse(certificate.validFrom),
    toMs: Date.parse(certificate.validTo),
    hostMs,
  });
}

/** The end of a link as a failure; undefined if the server has closed it, which it may do at any time. */
export function linkFailure(code: string, target: string): Failure | undefined {
  return Object.hasOwn(constants.errno, code) ? networkFailure({ code }, target) : undefined;
}

/** A handshake without a helper. `end`: absent if another socket uses it now. */
export function helperFailure(end: HelperEnd | undefined): Failure {
  const detail = end?.detail ?? 'another connection uses the helper program';
  return { reason: end?.cause === 'mismatch' ? 'dtls-version-mismatch' : 'dtls-unavailable', detail };
}

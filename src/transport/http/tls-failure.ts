/**
 * What can be wrong with a TLS connection, as a refusal: by OpenSSL's word for it, and by the certificate that was shown.
 *
 * Sources: openssl-verify(1) for the words of verification, RFC 8446 section 6.2 for the alerts. What a certificate says of
 * itself is a stranger's text: cut, and without anything that moves a cursor.
 */

import { createHash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Failure, FailureReason } from '../../core/failures/failure.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { networkFailure } from '../network-failure.ts';

const NAME_CHARACTERS_MAX = 80;

/** Verification that failed for other reasons than these: nobody we trust vouches for the certificate. */
const VERIFICATION_REASONS: Readonly<Record<string, FailureReason>> = {
  CERT_HAS_EXPIRED: 'certificate-date-invalid',
  CERT_NOT_YET_VALID: 'certificate-date-invalid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-name-mismatch',
};

/** The certificate of a connection that was not found trustworthy. Its dates are judged by validity.ts. */
export function certificateFailure(code: string, socket: TLSSocket, host: string): Failure {
  const reason = VERIFICATION_REASONS[code] ?? 'certificate-untrusted';
  const leaf = socket.getPeerCertificate(true);
  const details = [`${code}, certificate of ${formatName(leaf.subject)}`];
  if (reason === 'certificate-name-mismatch')
    details.push(`for ${sanitise(leaf.subjectaltname ?? 'no name')}, not ${host}`);
  if (reason === 'certificate-untrusted') {
    details.push(`issued by ${formatName(leaf.issuer)}`);
    const issuer = leaf.issuerCertificate;
    const subject = issuer && issuer !== leaf ? ['issuer', issuer] : ['certificate', leaf];
    details.push(`SHA-256 of the ${subject[0]} ${sanitise(certificateFingerprint(subject[1]))}`);
  }
  return { reason, detail: details.join(', ') };
}

function certificateFingerprint(certificate: unknown): string {
  const has = typeof certificate === 'object' && certificate !== null && 'fingerprint256' in certificate;
  return has ? String(certificate.fingerprint256) : 'unknown';
}

function formatName(
  name: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined,
): string {
  const [common, organisation] = [name?.CN, name?.O].map((part) => (Array.isArray(part) ? part[0] : part));
  const whole = [common, organisation].filter((part) => part !== undefined).join(', ');
  return whole === '' ? 'somebody without a name' : `"${sanitise(whole)}"`;
}

function sanitise(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"]/gu, '?');
  return plain.length > NAME_CHARACTERS_MAX + 20 ? `${plain.slice(0, NAME_CHARACTERS_MAX)}…` : plain;
}

/** SHA-256 of the public key (SPKI) of a certificate in DER, Base64: what server.pin-sha256 is compared with. */
export function pinOf(der: Buffer): string {
  const key = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

const TLS_CODES: readonly (readonly [code: RegExp, reason: FailureReason])[] = [
  // Alerts about us, as far as they name our certificate.
  [
    /ALERT_(CERTIFICATE_|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|NO_CERTIFICATE)/,
    'client-certificate-rejected',
  ],
  [
    /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|ALERT_INSUFFICIENT_SECURITY/,
    'tls-version-mismatch',
  ],
  [/ALERT_HANDSHAKE_FAILURE|NO_SHARED_CIPHER|DH_KEY_TOO_SMALL|EE_KEY_TOO_SMALL/, 'tls-version-mismatch'],
];

/** An error of a socket, before or after the handshake; `where` is the peer. */
export function socketFailure(error: unknown, target: string): Failure {
  const code = errorCode(error) ?? 'unknown';
  if (!/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return networkFailure(error, target);
  const reason = TLS_CODES.find(([pattern]) => pattern.test(code))?.[1] ?? 'tls-failed';
  return { reason, detail: `${target}: ${code}` };
}

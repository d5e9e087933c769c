/**
 * Maps errors of TLS and DTLS to failures, by OpenSSL's code and the server's certificate. Codes:
 * openssl-verify(1), RFC 8446 section 6.2. Names in a certificate are untrusted text: they are shortened and
 * stripped of control characters.
 */

import { createHash, X509Certificate } from 'node:crypto';
import type { Failure, FailureReason } from '../../core/failures/failure.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { networkFailure } from '../network-failure.ts';

const NAME_CHARACTERS_MAX = 80;

/** Any other code means `certificate-untrusted`. */
const VERIFICATION_REASONS: Readonly<Record<string, FailureReason>> = {
  CERT_HAS_EXPIRED: 'certificate-date-invalid',
  CERT_NOT_YET_VALID: 'certificate-date-invalid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-name-mismatch',
  HOSTNAME_MISMATCH: 'certificate-name-mismatch',
  IP_ADDRESS_MISMATCH: 'certificate-name-mismatch',
};

/** In DER, as the server sent them. */
export interface ServerCertificates {
  /** Absent if it sent none. */
  readonly leaf: Buffer | undefined;
  /** Absent if it sent none, and for a certificate that is its own issuer. */
  readonly issuer: Buffer | undefined;
}

/** The certificate in Node's older form, which has its names as objects; undefined if it cannot be read. */
type Certificate = ReturnType<X509Certificate['toLegacyObject']>;

export function parseCertificate(der: Buffer | undefined): X509Certificate | undefined {
  try {
    return der && der.length > 0 ? new X509Certificate(der) : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of the public key (SPKI) of a certificate in DER, Base64: the form of `server.pin-sha256`. */
export function pinOf(der: Buffer): string {
  const key = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** Why the key of the server is not a pinned one; undefined: it is, or none is pinned. */
export function pinFailure(leaf: Buffer | undefined, pins: readonly string[]): Failure | undefined {
  if (pins.length === 0) return undefined;
  const pin = leaf && parseCertificate(leaf) ? pinOf(leaf) : 'unknown';
  if (pins.includes(pin)) return undefined;
  return { reason: 'certificate-pin-mismatch', detail: `pin of the server's key: ${pin}` };
}

/** `code` is OpenSSL's verification error, or Node's. `classifyDates` examines the dates. */
export function certificateFailure(code: string, certificates: ServerCertificates, host: string): Failure {
  const reason = VERIFICATION_REASONS[code] ?? 'certificate-untrusted';
  const leaf: Partial<Certificate> = parseCertificate(certificates.leaf)?.toLegacyObject() ?? {};
  const details = [`${code}, certificate of ${formatName(leaf.subject)}`];
  if (reason === 'certificate-name-mismatch')
    details.push(`for ${sanitise(leaf.subjectaltname ?? 'no name')}, not ${host}`);
  if (reason === 'certificate-untrusted') {
    details.push(`issued by ${formatName(leaf.issuer)}`);
    const issuer = parseCertificate(certificates.issuer);
    const [subject, fingerprint] = issuer
      ? ['issuer', issuer.fingerprint256]
      : ['certificate', leaf.fingerprint256];
    details.push(`SHA-256 of the ${subject} ${fingerprint ?? 'unknown'}`);
  }
  return { reason, detail: details.join(', ') };
}

function formatName(
  name: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined,
): string {
  const [common, organisation] = [name?.CN, name?.O].map((part) => (Array.isArray(part) ? part[0] : part));
  const whole = [common, organisation].filter((part) => part !== undefined).join(', ');
  return whole === '' ? 'an unnamed subject' : `"${sanitise(whole)}"`;
}

function sanitise(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"]/gu, '?');
  return plain.length > NAME_CHARACTERS_MAX + 20 ? `${plain.slice(0, NAME_CHARACTERS_MAX)}…` : plain;
}

export interface CertificateDates {
  /** Unix ms; NaN if the date of the certificate is invalid. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly hostMs: number;
  /** From the server's Date header, if it sent one. */
  readonly serverMs?: number;
}

/**
 * Decides whether a certificate has expired or the clock of this host is wrong: a gateway without a clock
 * chip boots with a date that is days or years old. Only selects the message, because the server is
 * untrusted.
 */
export function classifyDates(dates: CertificateDates): Failure {
  const { fromMs, toMs, hostMs, serverMs } = dates;
  const isClockWrong = serverMs === undefined ? hostMs < fromMs : serverMs >= fromMs && serverMs <= toMs;
  const details = [
    `valid from ${formatMinute(fromMs)} to ${formatMinute(toMs)}`,
    `clock of this host ${formatMinute(hostMs)}`,
    ...(serverMs === undefined ? [] : [`clock of the server ${formatMinute(serverMs)}`]),
  ];
  return { reason: isClockWrong ? 'clock-wrong' : 'certificate-date-invalid', detail: details.join(', ') };
}

function formatMinute(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().slice(0, 16) : 'unknown';
}

const TLS_CODES: readonly (readonly [code: RegExp, reason: FailureReason])[] = [
  // Alerts of the server about the client certificate.
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

/** An error before or after the handshake; `target` is the peer. */
export function socketFailure(error: unknown, target: string): Failure {
  const code = errorCode(error) ?? 'unknown';
  return /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)
    ? handshakeFailure(code, target)
    : networkFailure(error, target);
}

/** `code`: an alert of the server or an error of the protocol, by OpenSSL's name. */
export function handshakeFailure(code: string, target: string): Failure {
  const reason = TLS_CODES.find(([pattern]) => pattern.test(code))?.[1] ?? 'tls-failed';
  return { reason, detail: `${target}: ${code}` };
}

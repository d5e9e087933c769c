/**
 * Maps TLS errors to failures, by OpenSSL's code and the server's certificate. Codes: openssl-verify(1), RFC
 * 8446 section 6.2. Names in a certificate are untrusted text: they are shortened and stripped of control
 * characters.
 */

import type { TLSSocket } from 'node:tls';
import type { Failure, FailureReason } from '../../core/failures/failure.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { networkFailure } from '../network-failure.ts';

const NAME_CHARACTERS_MAX = 80;

/** Any other code means `certificate-untrusted`. */
const VERIFICATION_REASONS: Readonly<Record<string, FailureReason>> = {
  CERT_HAS_EXPIRED: 'certificate-date-invalid',
  CERT_NOT_YET_VALID: 'certificate-date-invalid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-name-mismatch',
};

/** `code` is the verification error of the socket. `classifyDates` examines the dates. */
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
  if (typeof certificate !== 'object' || certificate === null) return 'unknown';
  return 'fingerprint256' in certificate ? String(certificate.fingerprint256) : 'unknown';
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
  if (!/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return networkFailure(error, target);
  const reason = TLS_CODES.find(([pattern]) => pattern.test(code))?.[1] ?? 'tls-failed';
  return { reason, detail: `${target}: ${code}` };
}

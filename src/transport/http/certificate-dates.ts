/**
 * A certificate that is not valid at our time: has it expired, or is our clock wrong? Pure.
 *
 * A board without a clock chip boots with a date that is days or years old. The certificate says from when on it is valid,
 * and the server, asked without a secret, says what time it is there. Neither is proof, as nobody has vouched for the
 * server; it decides what the operator is told, and nothing else.
 */

import type { Failure } from '../../core/failures/failure.ts';

export interface CertificateDates {
  /** Unix ms; NaN where the certificate's date cannot be read. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly hostMs: number;
  /** By the server's Date header; absent when it did not say. */
  readonly serverMs?: number;
}

export function classifyDates(dates: CertificateDates): Failure {
  const { fromMs, toMs, hostMs, serverMs } = dates;
  const isClockWrong = serverMs === undefined ? hostMs < fromMs : serverMs >= fromMs && serverMs <= toMs;
  const details = [
    `valid from ${formatMinute(fromMs)} to ${formatMinute(toMs)}`,
    `our clock says ${formatMinute(hostMs)}`,
    ...(serverMs === undefined ? [] : [`the server's ${formatMinute(serverMs)}`]),
  ];
  return { reason: isClockWrong ? 'clock-wrong' : 'certificate-date-invalid', detail: details.join(', ') };
}

function formatMinute(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().slice(0, 16) : 'unknown';
}

/**
 * A certificate that is not valid at our time: has it expired, or is our clock wrong? Pure.
 *
 * A board without a clock chip boots with a date that is days or years old. The certificate says from when on it is valid,
 * and the server, asked without a secret, says what time it is there. Neither is proof, as nobody has vouched for the
 * server; it decides what the operator is told, and nothing else.
 */

import type { Refusal } from '../../core/failures/failure.ts';

export interface Dates {
  /** Unix ms; NaN where the certificate's date cannot be read. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly ourMs: number;
  /** By the server's Date header; absent when it did not say. */
  readonly serverMs?: number;
}

export function judgeDates(dates: Dates): Refusal {
  const { fromMs, toMs, ourMs, serverMs } = dates;
  const fits = serverMs === undefined ? ourMs < fromMs : serverMs >= fromMs && serverMs <= toMs;
  const said = [
    `valid from ${day(fromMs)} to ${day(toMs)}`,
    `our clock says ${day(ourMs)}`,
    ...(serverMs === undefined ? [] : [`the server's ${day(serverMs)}`]),
  ];
  return { reason: fits ? 'clock-wrong' : 'certificate-dates', detail: said.join(', ') };
}

function day(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().slice(0, 16) : 'unknown';
}

/**
 * When a confirmable request is repeated and when it is given up: pure arithmetic on RFC 7252 section 4.8 and
 * draft-ietf-core-cocoa section 4.
 *
 * Two patiences. A *usual* request (telemetry, attributes, probe) can be made again, so it is given up after
 * its answer time; it is repeated as the measured round trip says (round-trip.ts), at first soon, then ever
 * more rarely, until then. A *single* request (provisioning with a server-chosen token) must never be made
 * again while the server would still replay its first answer, so the same datagram is repeated for the whole
 * exchange lifetime (contract sections 2 and 3.5).
 *
 * A usual request has no MAX_RETRANSMIT: with a small time-out four repetitions would be over within seconds,
 * and the rest of its patience would be spent waiting for nothing. All its repetitions lie within the 45 s of
 * MAX_TRANSMIT_SPAN (RFC 7252 section 4.8.2), for which the server's memory of message IDs is made. A silence
 * costs at most 8 datagrams.
 */

import { RTO_INITIAL_MS } from './rto-estimator.ts';

/** ACK_RANDOM_FACTOR: the dithering of the first pause. */
const ACK_RANDOM_FACTOR = 1.5;
/** EXCHANGE_LIFETIME, ms: how long the server remembers a confirmable message ID (contract 2). */
const EXCHANGE_LIFETIME_MS = 247_000;
/** Longest pause between repetitions of a single request, ms. */
const ONCE_PAUSE_MAX_MS = 20_000;
/** A single request's last repetition leaves so long before the end that the server still remembers the first, ms. */
const ONCE_LAST_MS = 10_000;
/** Longest pause between repetitions of a usual request, ms: after an outage it is heard again within that. */
const RETRYABLE_PAUSE_MAX_MS = 10_000;
/** A usual request's patience without any acknowledgement, ms: MAX_TRANSMIT_SPAN. */
const RETRYABLE_TIMEOUT_MS = 45_000;
/** Its last repetition leaves so long before that, so that an answer can still come, ms. */
const RETRYABLE_LAST_MS = 5_000;
/** The server's own limit is 10 s (contract 10). */
const RETRYABLE_RESPONSE_MS = 15_000;

export type RetransmitPolicy = 'retryable' | 'once';

export interface RetransmissionTiming {
  /** Pauses, ms, before each repetition; the first datagram goes out at once. */
  readonly retransmitAfterMs: readonly number[];
  /** Given up this long after the first datagram when not even an acknowledgement came, ms. */
  readonly noAckTimeoutMs: number;
  /** Given up this long after the acknowledgement when no answer came, ms. */
  readonly responseTimeoutMs: number;
}

/**
 * `random` in [0, 1) spreads the first pause between the time-out and 1.5 times that. `rtoMs` counts for usual
 * requests only: a single one meets a server of which nothing is known yet.
 */
export function retransmissionTiming(
  policy: RetransmitPolicy,
  random: number,
  rtoMs: number = RTO_INITIAL_MS,
): RetransmissionTiming {
  const dither = 1 + random * (ACK_RANDOM_FACTOR - 1);
  if (policy === 'retryable') {
    const factor = backOffFactor(rtoMs);
    return {
      retransmitAfterMs: growingPauses(
        rtoMs * dither,
        factor,
        RETRYABLE_PAUSE_MAX_MS,
        RETRYABLE_TIMEOUT_MS - RETRYABLE_LAST_MS,
      ),
      noAckTimeoutMs: RETRYABLE_TIMEOUT_MS,
      responseTimeoutMs: RETRYABLE_RESPONSE_MS,
    };
  }
  const lastMs = EXCHANGE_LIFETIME_MS - ONCE_LAST_MS;
  return {
    retransmitAfterMs: growingPauses(RTO_INITIAL_MS * dither, 2, ONCE_PAUSE_MAX_MS, lastMs),
    noAckTimeoutMs: EXCHANGE_LIFETIME_MS,
    responseTimeoutMs: EXCHANGE_LIFETIME_MS,
  };
}

/**
 * The variable back-off factor (draft section 4): a small time-out grows fast, lest it burst into a road that
 * has just become slow; a large one slowly, lest its third turn never come.
 */
function backOffFactor(rtoMs: number): number {
  if (rtoMs < 1_000) return 3;
  return rtoMs <= 3_000 ? 2 : 1.5;
}

/** Pauses that grow by `factor` up to `maxMs`, as long as the repetition after them leaves before `lastMs`. */
function growingPauses(firstMs: number, factor: number, maxMs: number, lastMs: number): number[] {
  const retransmitAfterMs: number[] = [];
  let pauseMs = Math.min(Math.round(firstMs), maxMs);
  for (let atMs = pauseMs; atMs < lastMs; atMs += pauseMs) {
    retransmitAfterMs.push(pauseMs);
    pauseMs = Math.min(Math.round(pauseMs * factor), maxMs);
  }
  return retransmitAfterMs;
}

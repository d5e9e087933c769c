/**
 * When a confirmable request is retransmitted and when it times out; confirmable-exchange.ts sends. Pure; RFC 7252 section 4.8 and
 * draft-ietf-core-cocoa section 4.
 */

import { RTO_INITIAL_MS } from './rto-estimator.ts';

/** ACK_RANDOM_FACTOR: the jitter of the first pause. */
const ACK_RANDOM_FACTOR = 1.5;
/** EXCHANGE_LIFETIME, ms: how long the server remembers a confirmable message ID (contract section 2). */
const EXCHANGE_LIFETIME_MS = 247_000;
/** Longest pause between retransmissions of a `once` request, ms. */
const ONCE_PAUSE_MAX_MS = 20_000;
/**
 * No retransmission of a `once` request this close to its end, because the server may have forgotten the
 * first, ms.
 */
const ONCE_LAST_MS = 10_000;
/** Longest pause between retransmissions of a retryable request, ms: the recovery time after an outage. */
const RETRYABLE_PAUSE_MAX_MS = 10_000;
/**
 * Timeout of a retryable request without an acknowledgement, ms: MAX_TRANSMIT_SPAN (RFC 7252 section 4.8.2),
 * for which the server remembers message IDs. There is no MAX_RETRANSMIT: with a small RTO, four
 * retransmissions would be over within seconds. A request without a response costs at most 8 datagrams.
 */
const RETRYABLE_TIMEOUT_MS = 45_000;
/** No retransmission this close to the timeout, because the response needs time to arrive, ms. */
const RETRYABLE_LAST_MS = 5_000;
/** The server's own limit is 10 s (contract section 10). */
const RETRYABLE_RESPONSE_MS = 15_000;

/**
 * `retryable` (telemetry, attributes, probe): can be sent as a new request, so it times out early. `once`
 * (provisioning): must not be sent as a new request while the server can replay its response, so the same
 * datagram is retransmitted for the whole exchange lifetime (contract sections 2 and 3.5).
 */
export type RetransmitPolicy = 'retryable' | 'once';

export interface RetransmissionTiming {
  /** The pause before each retransmission, ms. */
  readonly retransmitAfterMs: readonly number[];
  /** From the first datagram to the failure if there is no acknowledgement, ms. */
  readonly noAckTimeoutMs: number;
  /** From the acknowledgement to the failure if there is no response, ms. */
  readonly responseTimeoutMs: number;
}

/**
 * `random` in [0, 1) spreads the first pause between the RTO and 1.5 times that. `rtoMs` is ignored for
 * `once` requests: they are the first ones to a server, so nothing has been measured.
 */
export function retransmissionTiming(
  policy: RetransmitPolicy,
  random: number,
  rtoMs: number = RTO_INITIAL_MS,
): RetransmissionTiming {
  const jitter = 1 + random * (ACK_RANDOM_FACTOR - 1);
  if (policy === 'retryable') {
    const factor = backOffFactor(rtoMs);
    return {
      retransmitAfterMs: growingPauses(
        rtoMs * jitter,
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
    retransmitAfterMs: growingPauses(RTO_INITIAL_MS * jitter, 2, ONCE_PAUSE_MAX_MS, lastMs),
    noAckTimeoutMs: EXCHANGE_LIFETIME_MS,
    responseTimeoutMs: EXCHANGE_LIFETIME_MS,
  };
}

/**
 * The variable back-off factor (draft section 4): a small RTO grows fast, to avoid a burst into a path that
 * has just become slow; a large one grows slowly, so that a third retransmission still fits.
 */
function backOffFactor(rtoMs: number): number {
  if (rtoMs < 1_000) return 3;
  return rtoMs <= 3_000 ? 2 : 1.5;
}

/** Pauses that grow by `factor` up to `maxMs`, while their sum is below `lastMs`. */
function growingPauses(firstMs: number, factor: number, maxMs: number, lastMs: number): number[] {
  const retransmitAfterMs: number[] = [];
  let pauseMs = Math.min(Math.round(firstMs), maxMs);
  for (let atMs = pauseMs; atMs < lastMs; atMs += pauseMs) {
    retransmitAfterMs.push(pauseMs);
    pauseMs = Math.min(Math.round(pauseMs * factor), maxMs);
  }
  return retransmitAfterMs;
}

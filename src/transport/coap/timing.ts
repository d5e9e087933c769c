/**
 * When a confirmable request is repeated and when it is given up: pure arithmetic on RFC 7252 section 4.8.
 *
 * Two patiences. A *usual* request (telemetry, attributes, probe) can be made again, so it is given up after
 * its answer time. A *single* request (provisioning with a server-chosen token) must never be made again
 * while the server would still replay its first answer, so the same datagram is repeated for the whole
 * exchange lifetime (contract sections 2 and 3.5).
 */

/** ACK_TIMEOUT, ms: RFC 7252 section 4.8, and the server's own setting (contract 2). */
const ACK_TIMEOUT_MS = 2_000;
/** ACK_RANDOM_FACTOR. */
const ACK_RANDOM_FACTOR = 1.5;
/** MAX_RETRANSMIT of a usual request. */
const MAX_RETRANSMIT = 4;
/** EXCHANGE_LIFETIME, ms: how long the server remembers a confirmable message ID (contract 2). */
const EXCHANGE_LIFETIME_MS = 247_000;
/** Longest pause between repetitions of a single request, ms. */
const PAUSE_MAX_MS = 20_000;

export type Patience = 'usual' | 'single';

export interface Timing {
  /** Pauses, ms, before each repetition; the first datagram goes out at once. */
  readonly repeatAfterMs: readonly number[];
  /** Given up this long after the first datagram when not even an acknowledgement came, ms. */
  readonly unansweredMs: number;
  /**
   * Given up this long after the acknowledgement when no answer came, ms. The server's own limit is 10 s
   * (contract 10).
   */
  readonly acknowledgedMs: number;
}

/** `random` in [0, 1) spreads the first pause between ACK_TIMEOUT and 1.5 times that. */
export function timing(patience: Patience, random: number): Timing {
  let pauseMs = Math.round(ACK_TIMEOUT_MS * (1 + random * (ACK_RANDOM_FACTOR - 1)));
  const repeatAfterMs: number[] = [];
  if (patience === 'usual') {
    for (let repeat = 0; repeat < MAX_RETRANSMIT; repeat += 1, pauseMs *= 2) repeatAfterMs.push(pauseMs);
    return { repeatAfterMs, unansweredMs: 45_000, acknowledgedMs: 15_000 };
  }
  // The last repetition leaves early enough to arrive while the server still remembers the first.
  const lastMs = EXCHANGE_LIFETIME_MS - 10_000;
  for (let atMs = pauseMs; atMs < lastMs; atMs += pauseMs) {
    repeatAfterMs.push(pauseMs);
    pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
  }
  return { repeatAfterMs, unansweredMs: EXCHANGE_LIFETIME_MS, acknowledgedMs: EXCHANGE_LIFETIME_MS };
}

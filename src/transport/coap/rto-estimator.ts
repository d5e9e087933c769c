/**
 * How long to wait for a sign of life before a request is sent again, learnt from the exchanges before: CoCoA
 * (draft-ietf-core-cocoa section 4), for one destination. Pure; time comes in with each call.
 *
 * Two estimators in the way of RFC 6298: the *strong* one sees exchanges that went through at once, the *weak*
 * one those repeated once or twice, measured from the first datagram. Their mean is the retransmission
 * time-out; it drifts back to 1 to 3 s when nothing is measured. One thing is ours: what may be a loss instead
 * of a long road is *doubted* until it comes several times in a row. Promises a time-out between RTO_MS_MIN and
 * RTO_MS_MAX, whatever was measured.
 */

/** Before anything is measured, ms: ACK_TIMEOUT (RFC 7252 section 4.8). */
export const RTO_INITIAL_MS = 2_000;
/**
 * Never sooner, ms. The server's own jitter is 20 to 50 ms and our event loop on a Pi Zero may stall for
 * 100 ms: on a shorter time-out both would look like loss. Linux's TCP has the same floor (TCP_RTO_MIN).
 */
export const RTO_MS_MIN = 200;
/** Never later, ms; the draft allows more, but a request is given up after 45 s and needs several turns. */
export const RTO_MS_MAX = 10_000;

/** The least the time-out exceeds the mean, ms: "G" of RFC 6298 section 2; else a steady road would have no slack. */
const SLACK_MS = 100;
/** Weights of a new measurement in the mean and in its variation: alpha and beta of RFC 6298 section 2. */
const MEAN_WEIGHT = 1 / 8;
const VARIATION_WEIGHT = 1 / 4;
/** More repetitions than this say nothing about the round trip (draft section 4.2). */
const WEAK_RETRANSMISSIONS_MAX = 2;

/** The server sends an answer again when 2 to 3 s passed without our acknowledgement, ms (contract section 2). */
const SERVER_RETRANSMIT_MS = 2_000;
/**
 * A doubtful measurement counts when it is the fourth in a row or later: a road that has become long gives
 * nothing else. Believed at once, as the draft has it, each loss lengthens the time-out, and so what the next
 * loss is measured as: with 30 % lost each way that was slower than a fixed 2 s (measured 2026-11-22, virtual
 * time, round trip 100 ms: 4.3 s instead of 2.6 s a post; doubted, 1.4 s).
 */
const AMBIGUOUS_ACCEPTED_AFTER = 4;

/** Draft section 4.3: a small time-out is doubled after 16, a large one drawn in after 4 times its length. */
const SMALL_MS = 1_000;
const LARGE_MS = 3_000;
const SMALL_AGE_FACTOR = 16;
const LARGE_AGE_FACTOR = 4;

/** When an exchange was first heard of again, counted from its own datagrams. */
export interface FirstResponse {
  readonly sinceFirstMs: number;
  /** The same as `sinceFirstMs` when nothing was repeated. */
  readonly sinceLastMs: number;
  readonly retransmissions: number;
}

export class RtoEstimator {
  readonly #strong = new RttEstimator(4);
  readonly #weak = new RttEstimator(1);
  #rtoMs = RTO_INITIAL_MS;
  /** When the time-out was last learnt or last drifted. */
  #sinceMs: number | undefined;
  /** Doubtful measurements in a row. */
  #ambiguousCount = 0;
  readonly #onMeasurement: (roundTripMs: number) => void;

  /** `onMeasured` hears of each exchange that was sent once: of others nobody knows which datagram was answered. */
  constructor(onMeasurement: (roundTripMs: number) => void = () => {}) {
    this.#onMeasurement = onMeasurement;
  }

  /** An exchange showed its first sign of life at `nowMs`. */
  addMeasurement(firstResponse: FirstResponse, nowMs: number): void {
    const { sinceFirstMs, retransmissions } = firstResponse;
    const isStrong = retransmissions === 0;
    if (isStrong) this.#onMeasurement(sinceFirstMs);
    if (retransmissions > WEAK_RETRANSMISSIONS_MAX) return;
    const isLoss = this.#classifyLoss(firstResponse);
    this.#ambiguousCount = isLoss === undefined ? this.#ambiguousCount + 1 : 0;
    if (isLoss ?? this.#ambiguousCount < AMBIGUOUS_ACCEPTED_AFTER) return;
    this.#applyAging(nowMs);
    const estimatedMs = (isStrong ? this.#strong : this.#weak).add(sinceFirstMs);
    const weight = isStrong ? 0.5 : 0.25;
    const blendedMs = weight * estimatedMs + (1 - weight) * this.#rtoMs;
    this.#rtoMs = Math.min(Math.max(blendedMs, RTO_MS_MIN), RTO_MS_MAX);
    this.#sinceMs = nowMs;
  }

  /** The retransmission time-out for a request that begins at `nowMs`; not dithered yet. */
  rtoMs(nowMs: number): number {
    this.#applyAging(nowMs);
    return this.#rtoMs;
  }

  /**
   * True when the last repetition explains the sign of life as well as any exchange before; false when nothing
   * was repeated, by the server neither; undefined when it may be either.
   */
  #classifyLoss({ sinceFirstMs, sinceLastMs, retransmissions }: FirstResponse): boolean | undefined {
    if (retransmissions > 0) return this.#strong.matches(sinceLastMs) || undefined;
    const isUnambiguous = sinceFirstMs < SERVER_RETRANSMIT_MS || this.#strong.matches(sinceFirstMs);
    return isUnambiguous ? false : undefined;
  }

  /** Each step takes its share of the idle time, so that looking often ages no faster than looking once. */
  #applyAging(nowMs: number): void {
    if (this.#sinceMs === undefined) return;
    for (;;) {
      const isSmall = this.#rtoMs < SMALL_MS;
      if (!isSmall && this.#rtoMs <= LARGE_MS) return;
      const ageLimitMs = this.#rtoMs * (isSmall ? SMALL_AGE_FACTOR : LARGE_AGE_FACTOR);
      if (nowMs - this.#sinceMs <= ageLimitMs) return;
      this.#sinceMs += ageLimitMs;
      this.#rtoMs = isSmall ? this.#rtoMs * 2 : 1_000 + this.#rtoMs / 2;
    }
  }
}

/** RFC 6298 sections 2.2 and 2.3, with the "K" of the draft: 4 for strong, 1 for weak measurements. */
class RttEstimator {
  readonly #variations: number;
  #meanMs: number | undefined;
  #variationMs = 0;

  constructor(variations: number) {
    this.#variations = variations;
  }

  /** Learns one round trip and returns the time-out it would now choose, ms. */
  add(roundTripMs: number): number {
    if (this.#meanMs === undefined) {
      this.#meanMs = roundTripMs;
      this.#variationMs = roundTripMs / 2;
    } else {
      // The variation first: it is taken from the mean as it was (RFC 6298 section 2.3).
      this.#variationMs += VARIATION_WEIGHT * (Math.abs(this.#meanMs - roundTripMs) - this.#variationMs);
      this.#meanMs += MEAN_WEIGHT * (roundTripMs - this.#meanMs);
    }
    return this.#timeOutMs(this.#meanMs);
  }

  /** Whether this is a round trip as those measured before. */
  matches(roundTripMs: number): boolean {
    const meanMs = this.#meanMs;
    return meanMs !== undefined && roundTripMs >= meanMs / 2 && roundTripMs <= this.#timeOutMs(meanMs);
  }

  #timeOutMs(meanMs: number): number {
    return meanMs + Math.max(SLACK_MS, this.#variations * this.#variationMs);
  }
}

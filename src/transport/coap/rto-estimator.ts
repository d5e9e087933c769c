/**
 * Estimates the retransmission timeout (RTO) for one destination: CoCoA (draft-ietf-core-cocoa section 4).
 * Pure. Two RFC 6298 estimators: the strong one measures exchanges without retransmission, the weak one those
 * with one or two, from the first datagram. The RTO drifts back to 1 to 3 s without measurements. Unlike the
 * draft, a measurement that may be a loss instead of a long round trip counts only if it repeats.
 */

/** Before the first measurement, ms: ACK_TIMEOUT (RFC 7252 section 4.8). */
export const RTO_INITIAL_MS = 2_000;
/**
 * The minimum RTO, ms. The server's jitter is 20 to 50 ms, and the event loop on a Pi Zero may stall for 100
 * ms; with a shorter RTO both would look like loss. Linux TCP has the same minimum (TCP_RTO_MIN).
 */
export const RTO_MS_MIN = 200;
/**
 * The maximum RTO, ms. The draft allows more, but a request times out after 45 s and needs several
 * retransmissions.
 */
export const RTO_MS_MAX = 10_000;

/**
 * The minimum margin above the mean, ms ("G" of RFC 6298 section 2): without it a constant round trip has no
 * margin.
 */
const SLACK_MS = 100;
/** Weights of a new measurement in the mean and in its variation: alpha and beta of RFC 6298 section 2. */
const MEAN_WEIGHT = 1 / 8;
const VARIATION_WEIGHT = 1 / 4;
/** With more retransmissions the round trip cannot be measured (draft section 4.2). */
const WEAK_RETRANSMISSIONS_MAX = 2;

/** The server retransmits a response after 2 to 3 s without an acknowledgement, ms (contract section 2). */
const SERVER_RETRANSMIT_MS = 2_000;
/**
 * The fourth ambiguous measurement in a row counts: a path that has become slow gives only such ones. If each
 * counts, as in the draft, every loss raises the RTO. Measured at 30 % loss each way and 100 ms round trip,
 * virtual time, 2026-11-22: 4.3 s per post by the draft, 2.6 s with a fixed RTO of 2 s, 1.4 s with this rule.
 */
const AMBIGUOUS_ACCEPTED_AFTER = 4;

/**
 * Draft section 4.3: a small RTO doubles after 16 times its length, a large one shrinks after 4 times its
 * length.
 */
const SMALL_MS = 1_000;
const LARGE_MS = 3_000;
const SMALL_AGE_FACTOR = 16;
const LARGE_AGE_FACTOR = 4;

/** Time of the first datagram that the server sent in an exchange. */
export interface FirstResponse {
  /** Since the first datagram of the request. */
  readonly sinceFirstMs: number;
  /** Since its last retransmission; equals `sinceFirstMs` if there was none. */
  readonly sinceLastMs: number;
  readonly retransmissions: number;
}

export class RtoEstimator {
  readonly #strong = new RttEstimator(4);
  readonly #weak = new RttEstimator(1);
  #rtoMs = RTO_INITIAL_MS;
  /** When the RTO last changed, by a measurement or by ageing. */
  #sinceMs: number | undefined;
  /** Ambiguous measurements in a row. */
  #ambiguousCount = 0;
  readonly #onMeasurement: (roundTripMs: number) => void;

  /**
   * `onMeasurement` is called for exchanges without retransmission; in others the measured datagram is
   * ambiguous.
   */
  constructor(onMeasurement: (roundTripMs: number) => void = () => {}) {
    this.#onMeasurement = onMeasurement;
  }

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

  /** The RTO for a request that starts at `nowMs`, without jitter. */
  rtoMs(nowMs: number): number {
    this.#applyAging(nowMs);
    return this.#rtoMs;
  }

  /**
   * True if the response fits the last retransmission, so an earlier datagram was lost. False if neither side
   * has retransmitted. Undefined if both are possible.
   */
  #classifyLoss({ sinceFirstMs, sinceLastMs, retransmissions }: FirstResponse): boolean | undefined {
    if (retransmissions > 0) return this.#strong.matches(sinceLastMs) || undefined;
    const isUnambiguous = sinceFirstMs < SERVER_RETRANSMIT_MS || this.#strong.matches(sinceFirstMs);
    return isUnambiguous ? false : undefined;
  }

  /** Each step consumes its share of the idle time, so frequent calls do not age the RTO faster. */
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

  /** Returns the new RTO of this estimator, ms. */
  add(roundTripMs: number): number {
    if (this.#meanMs === undefined) {
      this.#meanMs = roundTripMs;
      this.#variationMs = roundTripMs / 2;
    } else {
      // The variation first: it uses the previous mean (RFC 6298 section 2.3).
      this.#variationMs += VARIATION_WEIGHT * (Math.abs(this.#meanMs - roundTripMs) - this.#variationMs);
      this.#meanMs += MEAN_WEIGHT * (roundTripMs - this.#meanMs);
    }
    return this.#timeoutMs(this.#meanMs);
  }

  /** Whether the round trip is similar to the earlier measurements. */
  matches(roundTripMs: number): boolean {
    const meanMs = this.#meanMs;
    return meanMs !== undefined && roundTripMs >= meanMs / 2 && roundTripMs <= this.#timeoutMs(meanMs);
  }

  #timeoutMs(meanMs: number): number {
    return meanMs + Math.max(SLACK_MS, this.#variations * this.#variationMs);
  }
}

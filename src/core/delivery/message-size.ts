/**
 * How large a message may be: in bytes as the transport says, in data points as far as is known. encode.ts splits a
 * reading by bytes, batch-window.ts a batch by points.
 *
 * ThingsBoard can limit the messages and the points of a device per second and per minute, and refuses a message that
 * exceeds a limit as a whole, with an internal error and without a hint (contract section 10). A message with more points
 * than a limit allows is never accepted, however long it waits.
 *
 * If for longer than a minute smaller messages are accepted and none as large, the size is the cause, and messages
 * become half as large. If nothing at all is accepted, a single value is sent: only if it is accepted, the size may be
 * the cause. With growing intervals a larger message is tried again; a single refusal ends the trial.
 */

import { BODY_BYTES_MAX } from './encode.ts';

/** Refusals, either each after an accepted smaller message or with nothing accepted, before messages become smaller. */
const REFUSALS = 4;
/** Longer than the longest usual period of a limit, ms: a message refused for so long does not wait for its end. */
const REFUSED_MS_MIN = 75_000;
/** How long larger messages, or a single value, are not tried: at first, and after repeated failures, ms. */
const [AGAIN_MS_MIN, AGAIN_MS_MAX] = [60_000, 4 * 3_600_000];
/** More than one message holds; above it there is no limit. */
const POINTS_MAX = 512;

/** Refused messages since one as large as the smallest of them was accepted. */
interface Refusals {
  readonly smallest: number;
  readonly sinceMs: number;
  /** In total, and those with an accepted message since the one before. */
  readonly count: number;
  readonly countAlone: number;
  /** `accepted` at the last of them. */
  readonly accepted: number;
}

/** Messages with so many points are refused; larger ones are tried again at `untilMs`. */
interface Bound {
  readonly points: number;
  readonly untilMs: number;
  readonly forMs: number;
}

export class MessageSize {
  /** Of a body, bytes; set by the delivery, because it depends on the token. */
  bytesMax = BODY_BYTES_MAX;
  #pointsMax = Number.POSITIVE_INFINITY;
  #accepted = 0;
  #refusals: Refusals | undefined;
  #bound: Bound | undefined;
  /** Larger messages are being tried: the size before. */
  #trial: { readonly pointsMax: number; readonly forMs: number } | undefined;
  /** A single value is to be sent, or has been, because nothing is accepted; the size of the refused messages. */
  #probing: { readonly smallest: number; readonly isSent: boolean } | undefined;
  /** The earliest time of the next single value, monotonic ms, and the interval after it. */
  #probe = { atMs: Number.NEGATIVE_INFINITY, againMs: AGAIN_MS_MIN };

  /** Points per message; at least 1. */
  get pointsMax(): number {
    return this.#pointsMax;
  }

  /** Whether the server limits data points, as far as is known. */
  get isLimited(): boolean {
    return this.#pointsMax < Number.POSITIVE_INFINITY;
  }

  /** Messages accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  onAccepted(points: number, nowMs: number): void {
    this.#accepted += 1;
    if (this.#refusals && points >= this.#refusals.smallest) this.#refusals = undefined;
    if (this.#trial && points > this.#trial.pointsMax) this.#trial = undefined;
    this.#endProbe(points);
    if (points * 2 > this.#pointsMax) this.#grow(nowMs);
  }

  /**
   * What to do. `split`: the message is too large, and `pointsMax` smaller; `split-trial`: only larger than before a trial;
   * `wait`: nothing is known of the size.
   */
  onRefused(points: number, nowMs: number): 'split' | 'split-trial' | 'wait' {
    if (points <= 1) {
      this.#probing = undefined;
      return 'wait';
    }
    this.#refusals = this.#addRefusal(points, nowMs);
    const { smallest, sinceMs, count, countAlone } = this.#refusals;
    if (this.#trial && points > this.#trial.pointsMax) {
      const { pointsMax, forMs } = this.#trial;
      this.#shrink(pointsMax, { points, untilMs: nowMs + forMs, forMs });
      return 'split-trial';
    }
    if (nowMs - sinceMs < REFUSED_MS_MIN || count < REFUSALS) return 'wait';
    if (countAlone >= REFUSALS) {
      const bound = { points: smallest, untilMs: nowMs + AGAIN_MS_MIN, forMs: AGAIN_MS_MIN };
      this.#shrink(Math.floor(smallest / 2), bound);
      return points > this.#pointsMax ? 'split' : 'wait';
    }
    if (countAlone === 0 && nowMs >= this.#probe.atMs) {
      const { againMs } = this.#probe;
      this.#probe = { atMs: nowMs + againMs, againMs: Math.min(2 * againMs, AGAIN_MS_MAX) };
      this.#probing = { smallest, isSent: false };
    }
    return 'wait';
  }

  /** True once: the next message must have a single value, if it can. */
  takeProbe(): boolean {
    if (!this.#probing || this.#probing.isSent) return false;
    this.#probing = { ...this.#probing, isSent: true };
    return true;
  }

  /** A message was accepted. If it is the single value, the size of the others may be the cause. */
  #endProbe(points: number): void {
    this.#probe = { atMs: Number.NEGATIVE_INFINITY, againMs: AGAIN_MS_MIN };
    const isProbe = this.#probing?.isSent === true && points === 1;
    if (isProbe) this.#shrink(Math.floor((this.#probing?.smallest ?? 2) / 2), this.#bound);
    this.#probing = undefined;
  }

  #addRefusal(points: number, nowMs: number): Refusals {
    const before = this.#refusals;
    const accepted = this.#accepted;
    if (!before) return { smallest: points, sinceMs: nowMs, count: 1, countAlone: 0, accepted };
    return {
      smallest: Math.min(before.smallest, points),
      sinceMs: before.sinceMs,
      count: before.count + 1,
      countAlone: before.countAlone + (accepted > before.accepted ? 1 : 0),
      accepted,
    };
  }

  #shrink(pointsMax: number, bound: Bound | undefined): void {
    this.#refusals = undefined;
    this.#trial = undefined;
    this.#bound = bound;
    this.#pointsMax = Math.min(this.#pointsMax, pointsMax);
  }

  /** Tries messages twice as large. */
  #grow(nowMs: number): void {
    const doubled = this.#pointsMax * 2;
    const bound = this.#bound && doubled >= this.#bound.points ? this.#bound : undefined;
    if (this.#trial || (bound && nowMs < bound.untilMs)) return;
    const forMs = bound ? Math.min(2 * bound.forMs, AGAIN_MS_MAX) : AGAIN_MS_MIN;
    this.#trial = { pointsMax: this.#pointsMax, forMs };
    this.#pointsMax = doubled > POINTS_MAX ? Number.POSITIVE_INFINITY : doubled;
  }
}

/**
 * Rate limit of the backlog, in monotonic time.
 *
 * ThingsBoard reports a rate limit by 5.00 and nothing else (contract section 10). Each rejection doubles the
 * interval between two messages. Each accepted message shortens it by a tenth, but by a hundredth once it is near the
 * interval that was rejected: so a limit is met, and exceeded only once in twenty messages.
 */

/** Longest interval between two messages, ms. */
const INTERVAL_MS_MAX = 60_000;
const [RECOVERY, CAREFUL_RECOVERY] = [0.9, 0.99];
/** Shares of the rejected interval between which recovery is careful; below, the limit has changed. */
const NEAR = [0.8, 1.25] as const;
/** Longer than the shortest period of a limit of ThingsBoard, 1 s. */
export const LIMIT_PERIOD_MS = 1_100;

export class RateLimiter {
  readonly #intervalMsMin: number;
  #intervalMs: number;
  /** The interval that was too short. */
  #rejectedMs = 0;
  #isRejecting = false;
  #dueMs = Number.NEGATIVE_INFINITY;
  #heldUntilMs = Number.NEGATIVE_INFINITY;

  /** `perS`: messages per second, above 0; Infinity disables the limit. */
  constructor(perS: number) {
    this.#intervalMsMin = 1000 / perS;
    this.#intervalMs = this.#intervalMsMin;
  }

  /** Earliest time of the next message, monotonic ms. */
  get dueMs(): number {
    return Math.max(this.#dueMs, this.#heldUntilMs);
  }

  /**
   * Unused time is not saved: a burst after a pause would defeat the limit. Nor do messages add up that were sent before they
   * were due, as in an outage.
   */
  onSent(nowMs: number, messages: number): void {
    this.pauseUntil(nowMs + messages * this.#intervalMs);
  }

  /** A fresh reading was sent, which counts for a limit of the server too: a pause behind it. */
  onFrontSent(nowMs: number): void {
    if (this.#rejectedMs > 0) this.pauseUntil(nowMs + Math.min(this.#intervalMs, LIMIT_PERIOD_MS));
  }

  /** Sends nothing before `atMs`, monotonic ms, even after a reset. */
  holdUntil(atMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, atMs);
  }

  /** The same, because of rejections. */
  pauseUntil(atMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, atMs);
  }

  onRejected(): void {
    const intervalMs = Math.max(this.#intervalMs, 1);
    // Only the first of several in a row: the others follow from its cause, such as an outage.
    if (!this.#isRejecting) this.#rejectedMs = intervalMs;
    this.#isRejecting = true;
    this.#intervalMs = Math.min(INTERVAL_MS_MAX, intervalMs * 2);
  }

  onAccepted(): void {
    this.#isRejecting = false;
    const [from, to] = NEAR;
    const nearness = this.#rejectedMs === 0 ? 0 : this.#intervalMs / this.#rejectedMs;
    const recovery = nearness > from && nearness < to ? CAREFUL_RECOVERY : RECOVERY;
    this.#intervalMs = Math.max(this.#intervalMsMin, this.#intervalMs * recovery);
  }

  /** Starts again at full rate, because the rejections had another cause. */
  reset(nowMs: number): void {
    this.#intervalMs = this.#intervalMsMin;
    this.#rejectedMs = 0;
    this.#dueMs = Math.min(this.#dueMs, nowMs + this.#intervalMs);
  }
}

/**
 * Rate limit of the backlog, in monotonic time.
 *
 * ThingsBoard reports a rate limit by 5.00 and nothing else (contract section 10). Each rejection doubles the
 * interval between two messages, and each accepted message shortens it by a tenth.
 */

/** Longest interval between two messages, ms. */
const INTERVAL_MS_MAX = 60_000;
const RECOVERY = 0.9;

export class RateLimiter {
  readonly #intervalMsMin: number;
  #intervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;

  /** `perS`: messages per second, above 0; Infinity disables the limit. */
  constructor(perS: number) {
    this.#intervalMsMin = 1000 / perS;
    this.#intervalMs = this.#intervalMsMin;
  }

  /** Earliest time of the next message, monotonic ms. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Unused time is not saved: a burst after a pause would defeat the limit. */
  onSent(nowMs: number, messages: number): void {
    this.#dueMs = Math.max(nowMs, this.#dueMs) + messages * this.#intervalMs;
  }

  /** Sends nothing before `atMs`, monotonic ms. */
  holdUntil(atMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, atMs);
  }

  onRejected(): void {
    this.#intervalMs = Math.min(INTERVAL_MS_MAX, Math.max(this.#intervalMs, 1) * 2);
  }

  onAccepted(): void {
    this.#intervalMs = Math.max(this.#intervalMsMin, this.#intervalMs * RECOVERY);
  }
}

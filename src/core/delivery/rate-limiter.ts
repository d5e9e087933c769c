/**
 * The pace of a backlog: so many messages a second at most, fewer while the server asks for mercy.
 *
 * ThingsBoard tells a rate limit by 5.00 and nothing else (contract section 10), so the pace is halved at each
 * and recovers by a tenth with each message that is taken. Pure arithmetic on monotonic time.
 */

/** The slowest, ms between two messages. */
const INTERVAL_MS_MAX = 60_000;
const RECOVERY = 0.9;

export class RateLimiter {
  readonly #intervalMsMin: number;
  #intervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;

  /** `perS` over 0: messages per second; Infinity lifts the limit. */
  constructor(perS: number) {
    this.#intervalMsMin = 1000 / perS;
    this.#intervalMs = this.#intervalMsMin;
  }

  /** When the next message may go, monotonic ms. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** No unused time is saved up: a burst after a pause would be what the limit is there to prevent. */
  onSent(nowMs: number, messages: number): void {
    this.#dueMs = Math.max(nowMs, this.#dueMs) + messages * this.#intervalMs;
  }

  /** Nothing goes before then, monotonic ms. */
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

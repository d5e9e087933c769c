/**
 * One confirmable exchange: a datagram, its repetitions, and exactly one outcome.
 *
 *   begun ── datagram sent ─▶ unanswered ── empty ACK ─▶ acknowledged ── answer ─▶ over
 *                                 └────── answer of any kind, reset, error, patience at an end ──▶ over
 *
 * Owns its timers through the clock port and ends within its timing, whatever arrives. The message ID, token
 * and source port of all repetitions are those of the first datagram, because the server replays its answer
 * only for them (contract section 2).
 */

import type { Failure } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ResponseMessage } from './datagram.ts';
import type { RetransmissionTiming, RetransmitPolicy } from './retransmission.ts';
import type { RtoEstimator } from './rto-estimator.ts';

export type ExchangeOutcome =
  | {
      readonly type: 'response';
      readonly response: ResponseMessage;
      /** Acknowledges a confirmable answer; nothing to do for the others. Calling it twice is harmless. */
      readonly acknowledge: () => void;
    }
  | { readonly type: 'failed'; readonly failure: Failure };

export interface ExchangeSettings {
  /** Lower-case hex. */
  readonly token: string;
  readonly policy: RetransmitPolicy;
  readonly timing: RetransmissionTiming;
  /** Told of the first sign of life. */
  readonly rtoEstimator: Pick<RtoEstimator, 'addMeasurement'>;
  /** True: a confirmable answer is acknowledged by `confirm()` only, after the caller made it durable. */
  readonly deferAcknowledgement: boolean;
}

/**
 * A reason of our own, because the default one is an error object with a stack, made anew for every exchange.
 */
const WAKE = 'look around';

export class Exchange {
  readonly settings: ExchangeSettings;
  readonly outcome: Promise<ExchangeOutcome>;
  readonly #clock: Clock;
  readonly #peer: string;
  #resolve: (outcome: ExchangeOutcome) => void = () => {};
  #messageId: number | undefined;
  #isFinished = false;
  #startedMs = 0;
  #lastSentMs = 0;
  #acknowledgedAtMs: number | undefined;
  #sentCount = 0;
  #networkErrorCount = 0;
  /** The wait that is going on; whatever happens ends it, and the loop looks around again. */
  #pause: AbortController | undefined;
  /** Why the road seems broken, kept as the better reason than silence when patience ends. */
  #lastNetworkError: Failure | undefined;

  constructor(settings: ExchangeSettings, clock: Clock, peer: string) {
    this.settings = settings;
    this.#clock = clock;
    this.#peer = peer;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get messageId(): number | undefined {
    return this.#messageId;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /**
   * Sends the datagram and repeats it until the exchange is over. A second call is the library's own
   * repetition: ignored.
   */
  start(messageId: number, send: () => void): void {
    if (this.#messageId !== undefined) return;
    this.#messageId = messageId;
    this.#startedMs = this.#clock.monotonicMs();
    const sendCounted = () => {
      this.#sentCount += 1;
      this.#lastSentMs = this.#clock.monotonicMs();
      send();
    };
    sendCounted();
    void this.#run(sendCounted);
  }

  onAcknowledged(): void {
    this.#recordRtt();
    this.#acknowledgedAtMs ??= this.#clock.monotonicMs();
    this.#pause?.abort(WAKE);
  }

  onResponse(response: ResponseMessage, acknowledge: () => void): void {
    this.#recordRtt();
    this.#finish({ type: 'response', response, acknowledge });
  }

  /**
   * The road failed. A usual request ends here; a single one goes on as long as one of its datagrams may have
   * arrived.
   */
  onNetworkError(failure: Failure): void {
    this.#lastNetworkError = failure;
    this.#networkErrorCount += 1;
    if (this.settings.policy === 'retryable' || this.#networkErrorCount >= this.#sentCount)
      this.fail(failure);
  }

  fail(failure: Failure): void {
    this.#finish({ type: 'failed', failure });
  }

  #finish(outcome: ExchangeOutcome): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#pause?.abort(WAKE);
    this.#resolve(outcome);
  }

  /**
   * Only the first sign of life measures the road; what comes later measures how long the server thought. A
   * server that thinks for more than 500 ms sends an empty acknowledgement then (contract section 2).
   */
  #recordRtt(): void {
    if (this.#isFinished || this.#acknowledgedAtMs !== undefined) return;
    const nowMs = this.#clock.monotonicMs();
    this.settings.rtoEstimator.addMeasurement(
      {
        sinceFirstMs: nowMs - this.#startedMs,
        sinceLastMs: nowMs - this.#lastSentMs,
        retransmissions: this.#sentCount - 1,
      },
      nowMs,
    );
  }

  /** Repeats when a repetition is due, gives up when the deadline is, and sleeps in between. */
  async #run(send: () => void): Promise<void> {
    const { policy, timing } = this.settings;
    const startedMs = this.#startedMs;
    const pauses = timing.retransmitAfterMs.values();
    let retransmitAtMs = startedMs + (pauses.next().value ?? Number.POSITIVE_INFINITY);
    while (!this.#isFinished) {
      const nowMs = this.#clock.monotonicMs();
      const deadlineMs =
        this.#acknowledgedAtMs === undefined
          ? startedMs + timing.noAckTimeoutMs
          : this.#acknowledgedAtMs + timing.responseTimeoutMs;
      if (nowMs >= deadlineMs) return this.fail(this.#timeoutFailure());
      // Acknowledged: the answer comes by itself. A single request goes on asking, in case the answer was
      // lost.
      const mayRetransmit = this.#acknowledgedAtMs === undefined || policy === 'once';
      if (mayRetransmit && nowMs >= retransmitAtMs) {
        send();
        // From now, not from when it was due: after a stall of this process they must not leave in a bunch.
        retransmitAtMs = nowMs + (pauses.next().value ?? Number.POSITIVE_INFINITY);
        continue;
      }
      const pause = new AbortController();
      this.#pause = pause;
      await this.#clock.sleep(
        Math.min(deadlineMs, mayRetransmit ? retransmitAtMs : deadlineMs) - nowMs,
        pause.signal,
      );
    }
  }

  #timeoutFailure(): Failure {
    if (this.#lastNetworkError) return this.#lastNetworkError;
    const { noAckTimeoutMs: unansweredMs, responseTimeoutMs: acknowledgedMs } = this.settings.timing;
    return this.#acknowledgedAtMs === undefined
      ? { reason: 'server-timeout', detail: `no answer from ${this.#peer} in ${formatSeconds(unansweredMs)}` }
      : {
          reason: 'no-response-after-ack',
          detail: `${this.#peer} acknowledged and then did not answer in ${formatSeconds(acknowledgedMs)}`,
        };
  }
}

function formatSeconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}

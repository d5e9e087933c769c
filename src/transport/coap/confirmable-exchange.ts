/**
 * One confirmable exchange (RFC 7252): a datagram, its retransmissions, and exactly one outcome within its
 * timing.
 *
 *   open ── datagram sent ─▶ unacknowledged ── empty ACK ─▶ acknowledged ── response ─▶ finished
 *                                 └──────────── response, reset, error, timeout ─────────▶ finished
 *
 * Retransmissions keep message ID, token and source port: the server replays its response only then (contract
 * section 2).
 */

import { WaitEnd } from '../../core/async/abort.ts';
import type { Failure } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ResponseMessage } from './datagram.ts';
import type { RetransmissionTiming, RetransmitPolicy } from './retransmission-timing.ts';
import type { RtoEstimator } from './rto-estimator.ts';

export type ExchangeOutcome =
  | {
      readonly type: 'response';
      readonly response: ResponseMessage;
      /** Acknowledges a confirmable response; does nothing for others. May be called twice. */
      readonly acknowledge: () => void;
    }
  | { readonly type: 'failed'; readonly failure: Failure };

export interface ExchangeSettings {
  /** Lower-case hex. */
  readonly token: string;
  readonly policy: RetransmitPolicy;
  readonly timing: RetransmissionTiming;
  /** Receives the time of the first datagram of the server. */
  readonly rtoEstimator: Pick<RtoEstimator, 'addMeasurement'>;
  /**
   * True: a confirmable response is acknowledged only by `acknowledge()`, after the caller has persisted it.
   */
  readonly deferAcknowledgement: boolean;
  /** True: the server may execute it twice, so it may be repeated over another link. */
  readonly isIdempotent: boolean;
  /**
   * True: sent as a non-confirmable message, which the server answers without an acknowledgement in either direction. It is
   * repeated all the same (RFC 7252 section 4.3), and the server replays its response (contract section 2).
   */
  readonly isNonConfirmable?: boolean;
  /** True: the socket may be replaced while the exchange is open, which then fails. For the downlink, so that it never delays telemetry. */
  readonly isBackground?: boolean;
}

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
  /** The current wait of `#run`; every event ends it. */
  #pause: WaitEnd | undefined;
  /** Reported instead of a timeout, because it is more specific. */
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

  /** Sends and retransmits the datagram until the exchange has finished. A second call has no effect. */
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
    this.#pause?.abort();
  }

  onResponse(response: ResponseMessage, acknowledge: () => void): void {
    this.#recordRtt();
    this.#finish({ type: 'response', response, acknowledge });
  }

  /**
   * A retryable request fails at once; a `once` request continues while one of its datagrams may have
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
    this.#pause?.abort();
    this.#resolve(outcome);
  }

  /**
   * Only the first datagram measures the network; later ones measure the server, which sends an empty
   * acknowledgement if it needs more than 500 ms (contract section 2).
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

  /** Retransmits when due, fails at the deadline, and sleeps in between. */
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
      // After an acknowledgement the response follows without a request. A `once` request is retransmitted
      // anyway, in case the response was lost.
      const mayRetransmit = this.#acknowledgedAtMs === undefined || policy === 'once';
      if (mayRetransmit && nowMs >= retransmitAtMs) {
        send();
        // From now, not from the due time: after a stall of this process they must not leave in a burst.
        retransmitAtMs = nowMs + (pauses.next().value ?? Number.POSITIVE_INFINITY);
        continue;
      }
      const pause = new WaitEnd();
      this.#pause = pause;
      await this.#clock.sleep(
        Math.min(deadlineMs, mayRetransmit ? retransmitAtMs : deadlineMs) - nowMs,
        pause,
      );
    }
  }

  #timeoutFailure(): Failure {
    if (this.#lastNetworkError) return this.#lastNetworkError;
    const { noAckTimeoutMs, responseTimeoutMs } = this.settings.timing;
    if (this.#acknowledgedAtMs === undefined) {
      const detail = `no response from ${this.#peer} within ${formatSeconds(noAckTimeoutMs)}`;
      return { reason: 'server-timeout', detail };
    }
    const seconds = formatSeconds(responseTimeoutMs);
    const detail = `${this.#peer} acknowledged the request but did not respond within ${seconds}`;
    return { reason: 'no-response-after-ack', detail };
  }
}

function formatSeconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}

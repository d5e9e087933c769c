/**
 * Handles the result of a batch. Accepted: complete. Malformed: split until the bad reading is isolated, then
 * discard it. An internal error (5.00) means an overloaded server or a limit of its rate, unless the server
 * accepts other batches and rejects this one repeatedly (trap 11): then it is treated as malformed. A batch that
 * is too large for a limit is split by its values (message-size.ts). Any other failure is an outage, and the
 * batch waits. Discarded readings are reported as lost.
 */

import { type Schedule, waitBeforeMs } from '../failures/backoff.ts';
import type { Failure, Result } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import type { LossReason } from '../model/loss-report.ts';
import type { Reading } from '../model/reading.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { Batch, BatchWindow } from './batch-window.ts';
import { DiscardedReadings } from './discarded-readings.ts';
import type { DeliveryEvent, OutgoingMessage } from './message.ts';
import type { MessageSize } from './message-size.ts';
import { LIMIT_PERIOD_MS, type RateLimiter } from './rate-limiter.ts';

export interface BatchResultPorts {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly log: Logger;
  /** Called for each accepted message; `readBootMs`: when its newest reading was taken, of this boot. Absent: not needed. */
  readonly onTelemetryAccepted?: ((readBootMs: number) => void) | undefined;
}

/**
 * Internal errors of a batch, while others are accepted, after which it is split; after which a single
 * reading is discarded; and after which they are reported to the session again. Takes minutes.
 */
const [SPLIT_AFTER, DISCARD_AFTER, REPORT_AGAIN_AFTER] = [2, 6, 4];
/** The same for a single reading while the server is known to limit data points, which it may exceed by chance. */
const DISCARD_AFTER_LIMITED = 8;
/** Shortest time between the first internal error of a reading and its loss, ms. */
const DISCARD_MS_MIN = 2 * 60_000;

/**
 * While the server accepts some messages within this time, ms, and the backlog is being sent or a limit is known, internal
 * errors mean a limit of the rate: the backlog slows down, and the session does not wait.
 */
const OWN_RATE_MS = 60_000;
/** Pause of the backlog after a fresh reading was refused, and of that reading: first upper limit and cap. */
const FRONT_RETRY: Schedule = { baseMs: 2_000, capMs: 8_000 };

/** `front`: fresh readings, sent at once. `backlog`: sent at the rate of the backlog. */
export type BatchSource = 'front' | 'backlog';

export class BatchResultHandler {
  readonly #ports: BatchResultPorts;
  readonly #rateLimiter: RateLimiter;
  readonly #messageSize: MessageSize;
  /** Discarded readings. */
  readonly discarded: DiscardedReadings;
  #delivered = 0;
  #overloadsSinceAccepted = 0;
  /** Monotonic ms of the last accepted message, and of the last message of the backlog. */
  #acceptedAtMs = Number.NEGATIVE_INFINITY;
  #backlogSentAtMs = Number.NEGATIVE_INFINITY;
  #backlogOverloads = 0;
  /**
   * Single malformed readings since the last accepted message: none, one discarded, or one retained during a
   * wait.
   */
  #singleMalformed: 'none' | 'discarded' | 'waited' = 'none';
  /** Number of waits of the session because of a malformed reading. */
  #malformedWaits = 0;

  constructor(ports: BatchResultPorts, rateLimiter: RateLimiter, messageSize: MessageSize) {
    this.#ports = ports;
    this.#rateLimiter = rateLimiter;
    this.#messageSize = messageSize;
    this.discarded = new DiscardedReadings(ports);
  }

  /** Readings the server accepted since start. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Turns a batch of `window` into a message. */
  createMessage(
    batch: Batch,
    window: BatchWindow,
    source: BatchSource,
    token: Secret,
    signal: AbortSignal,
  ): OutgoingMessage {
    batch.state = 'in flight';
    this.discarded.logOversized(batch.oversizedKeys, batch.bytesMax);
    const malformedWaits = this.#malformedWaits;
    if (source === 'backlog') this.#backlogSentAtMs = this.#ports.clock.monotonicMs();
    return {
      bodies: batch.bodies,
      post: (body) => this.#ports.transport.postTelemetry(token, body, signal),
      onResult: async (result) => {
        if (result.ok && batch.bodies.length > 0) {
          if (source === 'backlog') this.#onBacklogAccepted();
          await window.complete(batch);
          return this.onAccepted(batch.count, batch.points, batch.readings);
        }
        // If the lane was rewound, the readings will be sent again, and this result does not count for them.
        const isCurrent = window.includes(batch);
        batch.state = 'waiting';
        if (result.ok) return isCurrent ? this.#discard(batch, window, 'malformed') : undefined;
        const { failure } = result;
        if (failure.reason !== 'server-overloaded' && failure.reason !== 'request-malformed')
          return { type: 'failed', failure };
        if (!isCurrent) return undefined;
        return failure.reason === 'server-overloaded'
          ? this.#onOverload(batch, window, source, failure)
          : this.#onMalformed(batch, window, source, failure, malformedWaits);
      },
    };
  }

  /** The server accepted a message that completes so many readings; `accepted`: those in it. */
  onAccepted(readings: number, points: number, accepted: readonly Reading[]): DeliveryEvent {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#acceptedAtMs = nowMs;
    this.#messageSize.onAccepted(points, nowMs);
    this.#delivered += readings;
    this.#overloadsSinceAccepted = 0;
    this.#singleMalformed = 'none';
    const { fresh, backlog } = this.#ports.outbox;
    this.#ports.log.debug('telemetry accepted', { readings, queuedReadings: fresh.size + backlog.size });
    this.#ports.onTelemetryAccepted?.(this.#newestBootMs(accepted));
    return { type: 'delivered' };
  }

  /** Of the samples of this boot, ms since boot; -Infinity if there is none. */
  #newestBootMs(readings: readonly Reading[]): number {
    const { bootId } = this.#ports.clock;
    const samples = readings.filter((reading) => reading.bootId === bootId && !reading.gap);
    return samples.reduce((newest, { bootMs }) => Math.max(newest, bootMs), Number.NEGATIVE_INFINITY);
  }

  /** An undated reading failed: the event for the session, and whether to discard the reading. */
  onUndatedFailure({ failure }: Result<void> & { ok: false }): {
    event: DeliveryEvent | undefined;
    discard: boolean;
  } {
    const retain = (event: DeliveryEvent | undefined) => ({ event, discard: false });
    if (failure.reason === 'server-overloaded') return retain(this.#onServerOverload(failure));
    if (failure.reason !== 'request-malformed') return retain({ type: 'failed', failure });
    const event = this.#onSingleMalformed(failure);
    return event ? retain(event) : { event: { type: 'progressed' }, discard: true };
  }

  async #onMalformed(
    batch: Batch,
    window: BatchWindow,
    source: BatchSource,
    failure: Failure,
    malformedWaits: number,
  ): Promise<DeliveryEvent | undefined> {
    if (batch.readings.length > 1) {
      window.split(batch);
      return { type: 'progressed' };
    }
    // This batch was sent before the last wait of the session. Each wait allows one malformed reading; ignore
    // it.
    if (malformedWaits !== this.#malformedWaits) return undefined;
    const event = this.#onSingleMalformed(failure);
    if (!event) return this.#discard(batch, window, 'malformed');
    if (source === 'front') return event;
    // The next fresh reading shows whether the server accepts any of them.
    this.#holdBack(batch);
    return undefined;
  }

  /**
   * Two single malformed readings without an accepted message in between suggest that the server accepts
   * none. Then the reading is retained, and each wait discards at most one reading. Undefined: discard it.
   */
  #onSingleMalformed(failure: Failure): DeliveryEvent | undefined {
    if (this.#singleMalformed === 'discarded') {
      this.#singleMalformed = 'waited';
      this.#malformedWaits += 1;
      return { type: 'failed', failure };
    }
    this.#singleMalformed = 'discarded';
    return undefined;
  }

  /** Delays the batch; the results of the following batches show whether the server is overloaded. */
  async #onOverload(
    batch: Batch,
    window: BatchWindow,
    source: BatchSource,
    failure: Failure,
  ): Promise<DeliveryEvent | undefined> {
    const { accepted } = this.#messageSize;
    if (batch.overloads > 0 && accepted > batch.acceptedAtOverload) batch.overloadsAlone += 1;
    batch.acceptedAtOverload = accepted;
    const nowMs = this.#ports.clock.monotonicMs();
    if (batch.overloads === 0) batch.firstOverloadAtMs = nowMs;
    const action = this.#messageSize.onRefused(batch.points, nowMs);
    if (action !== 'wait') {
      // The refusals so far say nothing of the rate.
      if (action === 'split') this.#rateLimiter.reset(nowMs);
      this.#backlogOverloads = 0;
      window.split(batch);
      return this.#onServerOverload(failure) ?? { type: 'progressed' };
    }
    const isSingle = batch.readings.length === 1;
    if (isSingle && this.#isHopeless(batch, nowMs)) return this.#discard(batch, window, 'refused');
    if (!isSingle && batch.overloadsAlone >= SPLIT_AFTER) {
      window.split(batch);
      return { type: 'progressed' };
    }
    // Repeated errors indicate this batch rather than the server; if it is the only one, the fifth counts
    // again.
    const indicatesServer = batch.overloads === 0 || batch.overloads >= REPORT_AGAIN_AFTER;
    if (source === 'backlog') {
      if (batch.overloadsAlone === 0) this.#onBacklogOverload();
      this.#holdBack(batch);
    } else this.#onFrontOverload(batch, nowMs);
    return indicatesServer ? this.#onServerOverload(failure, source === 'front' ? 2 : 4) : undefined;
  }

  /** Not only unlucky at a limit of the rate. */
  #isHopeless({ overloadsAlone, firstOverloadAtMs }: Batch, nowMs: number): boolean {
    const overloads = this.#messageSize.isLimited ? DISCARD_AFTER_LIMITED : DISCARD_AFTER;
    return overloadsAlone >= overloads && nowMs - firstOverloadAtMs >= DISCARD_MS_MIN;
  }

  /** If the backlog may be the cause, it pauses until after the next attempt. */
  #onFrontOverload(batch: Batch, nowMs: number): void {
    if (!this.#isOwnRate(nowMs)) return this.#holdBack(batch);
    batch.overloads += 1;
    const waitMs = waitBeforeMs(FRONT_RETRY, batch.overloads, this.#ports.random.uniform());
    batch.dueMs = nowMs + Math.max(LIMIT_PERIOD_MS, waitMs);
    this.#rateLimiter.pauseUntil(batch.dueMs + LIMIT_PERIOD_MS);
  }

  /** The server accepts messages, and this gateway uses up what it accepts. */
  #isOwnRate(nowMs: number): boolean {
    const sentAtMs = this.#messageSize.isLimited ? nowMs : this.#backlogSentAtMs;
    return nowMs - Math.min(this.#acceptedAtMs, sentAtMs) < OWN_RATE_MS;
  }

  #holdBack(batch: Batch): void {
    const { clock, random } = this.#ports;
    batch.overloads += 1;
    const { schedule } = FAILURE_POLICIES['server-overloaded'];
    batch.dueMs = clock.monotonicMs() + waitBeforeMs(schedule, batch.overloads, random.uniform());
  }

  /** The backlog slows down at a rate limit of the server, so that fresh readings stay below it. */
  #onBacklogOverload(): void {
    const { clock, random } = this.#ports;
    this.#backlogOverloads += 1;
    this.#rateLimiter.onRejected();
    const forMs = waitBeforeMs(
      FAILURE_POLICIES['server-overloaded'].schedule,
      this.#backlogOverloads,
      random.uniform(),
    );
    this.#rateLimiter.pauseUntil(clock.monotonicMs() + forMs);
  }

  #onBacklogAccepted(): void {
    this.#backlogOverloads = 0;
    this.#rateLimiter.onAccepted();
  }

  #onServerOverload(failure: Failure, overloadsMin = 2): DeliveryEvent | undefined {
    // A server that sends a retry time means all requests.
    if (failure.retryAfterMs === undefined && this.#isOwnRate(this.#ports.clock.monotonicMs()))
      return undefined;
    this.#overloadsSinceAccepted += failure.retryAfterMs === undefined ? 1 : overloadsMin;
    return this.#overloadsSinceAccepted >= overloadsMin ? { type: 'failed', failure } : undefined;
  }

  async #discard(batch: Batch, window: BatchWindow, reason: LossReason): Promise<DeliveryEvent> {
    for (const reading of batch.wholeReadings) this.discarded.add(reading, reason);
    await window.complete(batch);
    return { type: 'progressed' };
  }
}

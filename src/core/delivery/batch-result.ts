/**
 * Settlement: what becomes of a batch by the server's answer.
 *
 * Accepted: it is done. Malformed: it is halved until the bad reading is alone, and that one is given up, so that
 * it holds up nothing. An internal error (5.00) says nothing about the batch, unless the server takes others and
 * refuses this one again and again (trap 11): then it is treated the same. Everything else is an outage, and the
 * batch waits. What is given up is told as lost. Nothing here waits or sends.
 */

import { waitBeforeMs } from '../failures/backoff.ts';
import type { Failure, Result } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import type { LossReason } from '../model/loss-report.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { Batch, BatchWindow } from './batch-window.ts';
import type { DeliveryEvent, OutgoingMessage } from './message.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { RejectedReadings } from './rejected.ts';

export interface BatchResultPorts {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly log: Logger;
}

/** Refusals of a batch alone, others being accepted in between, until it is halved, and a lone reading given up: minutes. */
const [SPLIT_AFTER, DISCARD_AFTER, REPORT_AGAIN_AFTER] = [2, 6, 4];

/** Where a batch is sent from: at once, beside the backlog, or from the backlog at its pace. */
export type BatchSource = 'front' | 'backlog';

export class BatchResultHandler {
  readonly #ports: BatchResultPorts;
  readonly #rateLimiter: RateLimiter;
  /** What was given up. */
  readonly rejected: RejectedReadings;
  #delivered = 0;
  /** Messages the server accepted since start. */
  #accepted = 0;
  #overloadsSinceAccepted = 0;
  #backlogOverloads = 0;
  /** Lone malformed readings since the last acceptance: none, one given up, or one kept and waited for. */
  #singleMalformed: 'none' | 'discarded' | 'waited' = 'none';
  /** Waits the session made for a malformed reading. */
  #malformedWaits = 0;

  constructor(ports: BatchResultPorts, rateLimiter: RateLimiter) {
    this.#ports = ports;
    this.#rateLimiter = rateLimiter;
    this.rejected = new RejectedReadings(ports);
  }

  /** Readings the server accepted since start. */
  get delivered(): number {
    return this.#delivered;
  }

  /** A batch of `window`, ready to be sent from `place`. */
  createMessage(
    batch: Batch,
    window: BatchWindow,
    source: BatchSource,
    token: Secret,
    signal: AbortSignal,
  ): OutgoingMessage {
    batch.state = 'in flight';
    this.rejected.logOversized(batch.oversizedKeys);
    const malformedWaits = this.#malformedWaits;
    return {
      bodies: batch.bodies,
      post: (body) => this.#ports.transport.postTelemetry(token, body, signal),
      onResult: async (result) => {
        if (result.ok && batch.bodies.length > 0) {
          if (source === 'backlog') this.#onBacklogAccepted();
          await window.complete(batch);
          return this.onAccepted(batch.readings.length);
        }
        // The lane has taken it back, and it will come again: what this answer says of it does not count.
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

  onAccepted(readings: number): DeliveryEvent {
    this.#accepted += 1;
    this.#delivered += readings;
    this.#overloadsSinceAccepted = 0;
    this.#singleMalformed = 'none';
    const { fresh, backlog } = this.#ports.outbox;
    this.#ports.log.debug('telemetry accepted', { readings, queuedReadings: fresh.size + backlog.size });
    return { type: 'delivered' };
  }

  /** A reading that has no batch was refused: what the session should hear, and whether the reading is given up. */
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
    // Sent before the session waited: the wait paid for one reading, and that one is being tried.
    if (malformedWaits !== this.#malformedWaits) return undefined;
    const event = this.#onSingleMalformed(failure);
    if (!event) return this.#discard(batch, window, 'malformed');
    if (source === 'front') return event;
    // What is fresh will tell whether the server takes any of ours.
    this.#holdBack(batch);
    return undefined;
  }

  /**
   * A second lone one with nothing accepted in between says that the server takes none of ours: then it is kept,
   * and each waiting time costs one reading at most. Undefined: give it up.
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

  /** The batch is held back for a while; whether it is the server, the next ones will tell. */
  async #onOverload(
    batch: Batch,
    window: BatchWindow,
    source: BatchSource,
    failure: Failure,
  ): Promise<DeliveryEvent | undefined> {
    if (batch.overloads > 0 && this.#accepted > batch.acceptedAtOverload) batch.overloadsAlone += 1;
    batch.acceptedAtOverload = this.#accepted;
    const isSingle = batch.readings.length === 1;
    if (isSingle && batch.overloadsAlone >= DISCARD_AFTER) return this.#discard(batch, window, 'refused');
    if (!isSingle && batch.overloadsAlone >= SPLIT_AFTER) {
      window.split(batch);
      return { type: 'progressed' };
    }
    // Later refusals say more about it than about the server; when it is all there is, the fifth says enough.
    const indicatesServer = batch.overloads === 0 || batch.overloads >= REPORT_AGAIN_AFTER;
    this.#holdBack(batch);
    if (source === 'backlog') this.#onBacklogOverload();
    return indicatesServer ? this.#onServerOverload(failure, source === 'front' ? 2 : 4) : undefined;
  }

  #holdBack(batch: Batch): void {
    const { clock, random } = this.#ports;
    batch.overloads += 1;
    const { schedule } = FAILURE_POLICIES['server-overloaded'];
    batch.dueMs = clock.monotonicMs() + waitBeforeMs(schedule, batch.overloads, random.uniform());
  }

  /** A limit of the server's is for the backlog to keep, so that what is fresh has room below it. */
  #onBacklogOverload(): void {
    const { clock, random } = this.#ports;
    this.#backlogOverloads += 1;
    this.#rateLimiter.onRejected();
    const forMs = waitBeforeMs(
      FAILURE_POLICIES['server-overloaded'].schedule,
      this.#backlogOverloads,
      random.uniform(),
    );
    this.#rateLimiter.holdUntil(clock.monotonicMs() + forMs);
  }

  #onBacklogAccepted(): void {
    this.#backlogOverloads = 0;
    this.#rateLimiter.onAccepted();
  }

  #onServerOverload(failure: Failure, overloadsMin = 2): DeliveryEvent | undefined {
    // Whoever names a time means everything we send.
    this.#overloadsSinceAccepted += failure.retryAfterMs === undefined ? 1 : overloadsMin;
    return this.#overloadsSinceAccepted >= overloadsMin ? { type: 'failed', failure } : undefined;
  }

  async #discard(batch: Batch, window: BatchWindow, reason: LossReason): Promise<DeliveryEvent> {
    for (const reading of batch.readings) this.rejected.reject(reading, reason);
    await window.complete(batch);
    return { type: 'progressed' };
  }
}

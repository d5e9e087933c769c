/**
 * Settlement: what becomes of a batch by the server's answer.
 *
 * Accepted: it is done. Malformed: it is halved until the bad reading is alone, and that one is given up, so that
 * it holds up nothing. An internal error (5.00) says nothing about the batch, unless the server takes others and
 * refuses this one again and again (trap 11): then it is treated the same. Everything else is an outage, and the
 * batch waits. What is given up is told as lost. Nothing here waits or sends.
 */

import { waitBeforeMs } from '../failures/backoff.ts';
import type { Refusal, Result } from '../failures/failure.ts';
import { VERDICTS } from '../failures/policies.ts';
import type { LossReason } from '../model/loss-report.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Chance } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { Batch, LaneWindow } from './batch-window.ts';
import type { DeliveryEvent, Parcel } from './message.ts';
import type { Pace } from './rate-limiter.ts';
import { SetAside } from './rejected.ts';

export interface SettlementPorts {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'random'>;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly log: Logger;
}

/** Refusals of a batch alone, others being accepted in between, until it is halved, and a lone reading given up: minutes. */
const [SPLIT_AFTER, GIVE_UP_AFTER, TELLS_AGAIN_AFTER] = [2, 6, 4];

/** Where a batch is sent from: at once, beside the backlog, or from the backlog at its pace. */
export type Place = 'front' | 'backlog';

export class Settlement {
  readonly #ports: SettlementPorts;
  readonly #pace: Pace;
  /** What was given up. */
  readonly setAside: SetAside;
  #delivered = 0;
  /** Messages the server accepted since start. */
  #accepted = 0;
  #overloadsSinceAccepted = 0;
  #backlogOverloads = 0;
  /** Lone malformed readings since the last acceptance: none, one given up, or one kept and waited for. */
  #loneMalformed: 'none' | 'given up' | 'waited' = 'none';
  /** Waits the session made for a malformed reading. */
  #waits = 0;

  constructor(ports: SettlementPorts, pace: Pace) {
    this.#ports = ports;
    this.#pace = pace;
    this.setAside = new SetAside(ports);
  }

  /** Readings the server accepted since start. */
  get delivered(): number {
    return this.#delivered;
  }

  /** A batch of `window`, ready to be sent from `place`. */
  parcel(batch: Batch, window: LaneWindow, place: Place, token: Secret, signal: AbortSignal): Parcel {
    batch.state = 'in flight';
    this.setAside.tellOversized(batch.oversizedKeys);
    const waits = this.#waits;
    return {
      bodies: batch.bodies,
      post: (body) => this.#ports.transport.postTelemetry(token, body, signal),
      settle: async (result) => {
        if (result.ok && batch.bodies.length > 0) {
          if (place === 'backlog') this.#backlogAccepted();
          await window.done(batch);
          return this.accepted(batch.readings.length);
        }
        // The lane has taken it back, and it will come again: what this answer says of it does not count.
        const isHeld = window.holds(batch);
        batch.state = 'waiting';
        if (result.ok) return isHeld ? this.#giveUp(batch, window, 'malformed') : undefined;
        const { refusal } = result;
        if (refusal.reason !== 'overloaded' && refusal.reason !== 'malformed')
          return { type: 'refused', refusal };
        if (!isHeld) return undefined;
        return refusal.reason === 'overloaded'
          ? this.#overloaded(batch, window, place, refusal)
          : this.#malformed(batch, window, place, refusal, waits);
      },
    };
  }

  accepted(readings: number): DeliveryEvent {
    this.#accepted += 1;
    this.#delivered += readings;
    this.#overloadsSinceAccepted = 0;
    this.#loneMalformed = 'none';
    const { fresh, backlog } = this.#ports.outbox;
    this.#ports.log.debug('telemetry accepted', { readings, waiting: fresh.size + backlog.size });
    return { type: 'delivered' };
  }

  /** A reading that has no batch was refused: what the session should hear, and whether the reading is given up. */
  live({ refusal }: Result<void> & { ok: false }): { event: DeliveryEvent | undefined; giveUp: boolean } {
    const keptWith = (event: DeliveryEvent | undefined) => ({ event, giveUp: false });
    if (refusal.reason === 'overloaded') return keptWith(this.#serverOverloaded(refusal));
    if (refusal.reason !== 'malformed') return keptWith({ type: 'refused', refusal });
    const event = this.#loneMalformedEvent(refusal);
    return event ? keptWith(event) : { event: { type: 'stepped' }, giveUp: true };
  }

  async #malformed(
    batch: Batch,
    window: LaneWindow,
    place: Place,
    refusal: Refusal,
    waits: number,
  ): Promise<DeliveryEvent | undefined> {
    if (batch.readings.length > 1) {
      window.split(batch);
      return { type: 'stepped' };
    }
    // Sent before the session waited: the wait paid for one reading, and that one is being tried.
    if (waits !== this.#waits) return undefined;
    const event = this.#loneMalformedEvent(refusal);
    if (!event) return this.#giveUp(batch, window, 'malformed');
    if (place === 'front') return event;
    // What is fresh will tell whether the server takes any of ours.
    this.#holdBack(batch);
    return undefined;
  }

  /**
   * A second lone one with nothing accepted in between says that the server takes none of ours: then it is kept,
   * and each waiting time costs one reading at most. Undefined: give it up.
   */
  #loneMalformedEvent(refusal: Refusal): DeliveryEvent | undefined {
    if (this.#loneMalformed === 'given up') {
      this.#loneMalformed = 'waited';
      this.#waits += 1;
      return { type: 'refused', refusal };
    }
    this.#loneMalformed = 'given up';
    return undefined;
  }

  /** The batch is held back for a while; whether it is the server, the next ones will tell. */
  async #overloaded(
    batch: Batch,
    window: LaneWindow,
    place: Place,
    refusal: Refusal,
  ): Promise<DeliveryEvent | undefined> {
    if (batch.refusals > 0 && this.#accepted > batch.acceptedThen) batch.refusalsAlone += 1;
    batch.acceptedThen = this.#accepted;
    const isLone = batch.readings.length === 1;
    if (isLone && batch.refusalsAlone >= GIVE_UP_AFTER) return this.#giveUp(batch, window, 'refused');
    if (!isLone && batch.refusalsAlone >= SPLIT_AFTER) {
      window.split(batch);
      return { type: 'stepped' };
    }
    // Later refusals say more about it than about the server; when it is all there is, the fifth says enough.
    const tellsOfServer = batch.refusals === 0 || batch.refusals >= TELLS_AGAIN_AFTER;
    this.#holdBack(batch);
    if (place === 'backlog') this.#backlogOverloaded();
    return tellsOfServer ? this.#serverOverloaded(refusal, place === 'front' ? 2 : 4) : undefined;
  }

  #holdBack(batch: Batch): void {
    const { clock, chance } = this.#ports;
    batch.refusals += 1;
    const { schedule } = VERDICTS.overloaded;
    batch.dueMs = clock.monotonicMs() + waitBeforeMs(schedule, batch.refusals, chance.random());
  }

  /** A limit of the server's is for the backlog to keep, so that what is fresh has room below it. */
  #backlogOverloaded(): void {
    const { clock, chance } = this.#ports;
    this.#backlogOverloads += 1;
    this.#pace.refused();
    const forMs = waitBeforeMs(VERDICTS.overloaded.schedule, this.#backlogOverloads, chance.random());
    this.#pace.holdUntil(clock.monotonicMs() + forMs);
  }

  #backlogAccepted(): void {
    this.#backlogOverloads = 0;
    this.#pace.accepted();
  }

  #serverOverloaded(refusal: Refusal, times = 2): DeliveryEvent | undefined {
    // Whoever names a time means everything we send.
    this.#overloadsSinceAccepted += refusal.retryAfterMs === undefined ? 1 : times;
    return this.#overloadsSinceAccepted >= times ? { type: 'refused', refusal } : undefined;
  }

  async #giveUp(batch: Batch, window: LaneWindow, why: LossReason): Promise<DeliveryEvent> {
    for (const reading of batch.readings) this.setAside.lose(reading, why);
    await window.done(batch);
    return { type: 'stepped' };
  }
}

/**
 * Settlement: what becomes of a batch by the server's answer.
 *
 * Accepted: it is done. Malformed: it is halved until the bad reading is alone, and that one is given up, so that
 * it holds up nothing. An internal error (5.00) says nothing about the batch, unless the server takes others and
 * refuses this one again and again (trap 11): then it is treated the same. Everything else is an outage, and the
 * batch waits. What is given up is told as lost. Nothing here waits or sends.
 */

import { waitBeforeMs } from './backoff.ts';
import type { Batch, LaneWindow } from './lane-window.ts';
import type { LossReason } from './losses.ts';
import type { Pace } from './pace.ts';
import { BODY_BYTES_MAX } from './packing.ts';
import type { Parcel } from './parcel.ts';
import type { Chance, Clock, Logger, Outbox, Result, Transport } from './ports.ts';
import type { Reading } from './reading.ts';
import type { Refusal } from './refusal.ts';
import type { Secret } from './secret.ts';
import type { Event } from './session-state.ts';
import { VERDICTS } from './verdicts.ts';

export interface SettlementPorts {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'random'>;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly log: Logger;
}

/** Refusals of a batch alone, others being accepted in between, until it is halved. */
const SPLIT_AFTER = 2;
/** And until a lone reading is given up: several minutes, by the waits of an overload. */
const GIVE_UP_AFTER = 6;

export class Settlement {
  readonly #ports: SettlementPorts;
  readonly #pace: Pace;
  #delivered = 0;
  #setAside = 0;
  /** Messages the server accepted since start. */
  #accepted = 0;
  #overloadsSinceAccepted = 0;
  /** Lone malformed readings since the last acceptance: none, one given up, or one kept and waited for. */
  #loneMalformed: 'none' | 'given up' | 'waited' = 'none';
  /** Waits the session made for a malformed reading. */
  #waits = 0;
  readonly #oversizedTold = new Set<string>();

  constructor(ports: SettlementPorts, pace: Pace) {
    this.#ports = ports;
    this.#pace = pace;
  }

  /** Readings the server accepted since start. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Readings given up since start, because the server refused them alone or nothing of them fits a datagram. */
  get setAside(): number {
    return this.#setAside;
  }

  /** A batch of `window`, ready to be sent. */
  parcel(batch: Batch, window: LaneWindow, token: Secret, signal: AbortSignal): Parcel {
    batch.state = 'in flight';
    this.tellOversized(batch.oversizedKeys);
    const waits = this.#waits;
    return {
      bodies: batch.bodies,
      post: (body) => this.#ports.transport.postTelemetry(token, body, signal),
      settle: async (result) => {
        if (!result.ok) return this.#refused(batch, window, result.refusal, waits);
        if (batch.bodies.length === 0) return this.#giveUp(batch, window, 'malformed');
        this.#pace.accepted();
        await window.done(batch);
        return this.accepted(batch.readings.length);
      },
    };
  }

  accepted(readings: number): Event {
    this.#accepted += 1;
    this.#delivered += readings;
    this.#overloadsSinceAccepted = 0;
    this.#loneMalformed = 'none';
    const { fresh, backlog } = this.#ports.outbox;
    this.#ports.log.debug('telemetry accepted', { readings, waiting: fresh.size + backlog.size });
    return { type: 'delivered' };
  }

  /** A reading that has no batch was refused: what the session should hear, and whether the reading is given up. */
  live({ refusal }: Result<void> & { ok: false }): { event: Event | undefined; giveUp: boolean } {
    const keptWith = (event: Event | undefined) => ({ event, giveUp: false });
    if (refusal.reason === 'overloaded') return keptWith(this.#serverOverloaded(refusal));
    if (refusal.reason !== 'malformed') return keptWith({ type: 'refused', refusal });
    const event = this.#loneMalformedEvent(refusal);
    return event ? keptWith(event) : { event: { type: 'stepped' }, giveUp: true };
  }

  /** Once for each key: it will be too large at every reading. */
  tellOversized(keys: readonly string[]): void {
    const fresh = keys.filter((key) => !this.#oversizedTold.has(key));
    if (fresh.length === 0) return;
    for (const key of fresh) this.#oversizedTold.add(key);
    this.#ports.log.error(
      'a value is too large for one datagram and was left out: shorten or switch off its sensor',
      { keys: fresh.join(','), bytesMax: BODY_BYTES_MAX },
    );
  }

  /** Counts and tells a reading given up. */
  lost(reading: Reading, why: LossReason): void {
    const { log, outbox } = this.#ports;
    this.#setAside += 1;
    outbox.losses.addReading(reading, why);
    log.error(
      why === 'refused'
        ? 'the server answers one reading, and only it, with an internal error; it was set aside so that the others go on'
        : 'the server calls one reading malformed; it was set aside so that the others go on',
      { setAside: this.#setAside },
    );
  }

  async #refused(
    batch: Batch,
    window: LaneWindow,
    refusal: Refusal,
    waits: number,
  ): Promise<Event | undefined> {
    if (batch.state !== 'in flight') return undefined;
    batch.state = 'waiting';
    if (refusal.reason === 'overloaded') return this.#overloaded(batch, window, refusal);
    if (refusal.reason !== 'malformed') return { type: 'refused', refusal };
    if (batch.readings.length > 1) {
      window.split(batch);
      return { type: 'stepped' };
    }
    // Sent before the session waited: the wait paid for one reading, and that one is being tried.
    if (waits !== this.#waits) return undefined;
    return this.#loneMalformedEvent(refusal) ?? this.#giveUp(batch, window, 'malformed');
  }

  /**
   * A second lone one with nothing accepted in between says that the server takes none of ours: then it is kept,
   * and each waiting time costs one reading at most. Undefined: give it up.
   */
  #loneMalformedEvent(refusal: Refusal): Event | undefined {
    if (this.#loneMalformed === 'given up') {
      this.#loneMalformed = 'waited';
      this.#waits += 1;
      return { type: 'refused', refusal };
    }
    this.#loneMalformed = 'given up';
    return undefined;
  }

  /** The batch is held back for a while; a second refusal before anything is accepted says that it is the server. */
  async #overloaded(batch: Batch, window: LaneWindow, refusal: Refusal): Promise<Event | undefined> {
    const { clock, chance } = this.#ports;
    this.#pace.refused();
    if (batch.refusals > 0 && this.#accepted > batch.acceptedThen) batch.refusalsAlone += 1;
    batch.refusals += 1;
    batch.acceptedThen = this.#accepted;
    const isLone = batch.readings.length === 1;
    if (isLone && batch.refusalsAlone >= GIVE_UP_AFTER) return this.#giveUp(batch, window, 'refused');
    if (!isLone && batch.refusalsAlone >= SPLIT_AFTER) {
      window.split(batch);
      return { type: 'stepped' };
    }
    const { schedule } = VERDICTS.overloaded;
    batch.dueMs = clock.monotonicMs() + waitBeforeMs(schedule, batch.refusals, chance.random());
    return this.#serverOverloaded(refusal);
  }

  #serverOverloaded(refusal: Refusal): Event | undefined {
    this.#overloadsSinceAccepted += 1;
    return this.#overloadsSinceAccepted > 1 ? { type: 'refused', refusal } : undefined;
  }

  async #giveUp(batch: Batch, window: LaneWindow, why: LossReason): Promise<Event> {
    for (const reading of batch.readings) this.lost(reading, why);
    await window.done(batch);
    return { type: 'stepped' };
  }
}

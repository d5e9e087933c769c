/**
 * Delivery: empties the outbox, and posts the host's facts once per start.
 *
 * Promises: what was sampled lately goes first, the backlog behind it at its pace; at most four requests are
 * under way, one while the server is in trouble. A reading leaves the outbox only after the server accepted it,
 * or after the server refused it alone (settlement.ts); then it is told as lost. A step ends with the
 * first answer that means something to the session, and the session decides when to come back; what is under
 * way meanwhile goes on. Facts are gathered only after the first reading was accepted, so that a slow gathering
 * delays nothing.
 */

import { LinkedAbort } from '../async/abort.ts';
import { AsyncSignal } from '../async/async-signal.ts';
import { tell } from '../events/catalogue.ts';
import type { Result } from '../failures/failure.ts';
import { aborted } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Chance } from '../ports/random.ts';
import type { HostFacts } from '../ports/sensors.ts';
import type { Transport } from '../ports/transport.ts';
import { FactsDelivery } from './attributes.ts';
import { BacklogFeed } from './backlog-reader.ts';
import { Settlement } from './batch-result.ts';
import { LaneWindow } from './batch-window.ts';
import type { DeliveryEvent, Parcel } from './message.ts';
import { Pace } from './rate-limiter.ts';
import { LiveDelivery } from './undated.ts';

export interface DeliveryPorts {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'random'>;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly facts: HostFacts;
  readonly log: Logger;
}

export interface DeliverySettings {
  /** Messages of the backlog per second, at most; Infinity lifts the limit. */
  readonly drainPerS: number;
  /** After an outage the backlog waits a random part of this, so that a fleet does not drain at once, ms. */
  readonly drainSpreadMs: number;
}

/** Requests under way: one for what is fresh, the others for the backlog and the facts. */
const IN_FLIGHT_MAX = 4;
/** Batches of the backlog that are not settled yet: one that is refused alone holds up no more than these. */
const BACKLOG_BATCHES_MAX = 16;
const FRESH_BATCHES_MAX = 4;

export class Delivery {
  readonly #ports: DeliveryPorts;
  readonly #settings: DeliverySettings;
  readonly #pace: Pace;
  readonly #fresh: LaneWindow;
  readonly #backlog: LaneWindow;
  readonly #feed: BacklogFeed;
  /** Notified of what happens in here and may give it something to do: an answer, a fetched batch, facts. */
  readonly #progress = new AsyncSignal();
  readonly #facts: FactsDelivery;
  readonly #live: LiveDelivery;
  readonly #settlement: Settlement;
  #events: DeliveryEvent[] = [];
  #inFlight = 0;
  #frontBusy = false;
  /** Since a refusal that the session was told of, until the next acceptance. */
  #troubled = false;
  #bug: { readonly error: unknown } | undefined;
  #firstTold = false;

  constructor(ports: DeliveryPorts, settings: DeliverySettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#pace = new Pace(settings.drainPerS);
    this.#fresh = new LaneWindow(ports.outbox.fresh, FRESH_BATCHES_MAX);
    this.#backlog = new LaneWindow(ports.outbox.backlog, BACKLOG_BATCHES_MAX);
    this.#feed = new BacklogFeed(ports.outbox, this.#backlog);
    this.#facts = new FactsDelivery(ports, () => this.#progress.notify());
    this.#settlement = new Settlement(ports, this.#pace);
    this.#live = new LiveDelivery(ports, this.#settlement);
  }

  /** Readings the server accepted since start. */
  get delivered(): number {
    return this.#settlement.delivered;
  }

  /** Readings given up since start. */
  get setAside(): number {
    return this.#settlement.setAside.count;
  }

  /** Sends what there is to send; ends with the first answer that means something to the session. */
  async step(token: Secret, signal: AbortSignal): Promise<DeliveryEvent> {
    this.#facts.use(token);
    // What failed while the session was waiting belongs to the trouble it was waiting for.
    this.#events = this.#events.filter(({ type }) => type !== 'refused');
    for (;;) {
      if (this.#bug) throw this.#bug.error;
      if (signal.aborted) return { type: 'refused', refusal: aborted().refusal };
      const event = this.#events.shift();
      if (event) return event;
      const { version } = this.#ports.outbox;
      const progress = this.#progress.version;
      const dueMs = await this.#launch(token, signal);
      if (this.#events.length === 0) await this.#wait({ outbox: version, progress, dueMs }, signal);
    }
  }

  /** Until the outbox or the progress is beyond the version seen, until `dueMs` by the monotonic clock, or until the abort. */
  async #wait(
    seen: { readonly outbox: number; readonly progress: number; readonly dueMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#progress.version !== seen.progress) return;
    const { clock, outbox } = this.#ports;
    using over = new LinkedAbort(signal);
    const ends = [outbox.waitForChange(seen.outbox, over.signal), this.#progress.wait(over.signal)];
    if (seen.dueMs < Number.POSITIVE_INFINITY) {
      // Never less than a millisecond: what is due at this instant must not keep the loop from others.
      ends.push(clock.sleep(Math.max(1, seen.dueMs - clock.monotonicMs()), over.signal));
    }
    await Promise.race(ends);
    over.abort();
  }

  /** Starts what may be started now; when, by the monotonic clock, more may be, whatever else happens. */
  async #launch(token: Secret, signal: AbortSignal): Promise<number> {
    if (!this.#frontBusy && this.#hasRoom()) {
      const front = await this.#nextFront(token, signal);
      // Facts wait for readings, and no reading waits for them: they take a place of the backlog.
      const facts = front ? undefined : this.#facts.parcel(token, this.#ports.clock.monotonicMs(), signal);
      if (front) void this.#send(front, 'front', signal);
      else if (facts) void this.#send(facts, 'beside', signal);
    }
    if (!this.#hasRoom()) return Number.POSITIVE_INFINITY;
    const nowMs = this.#ports.clock.monotonicMs();
    const frontDueMs = this.#frontBusy
      ? Number.POSITIVE_INFINITY
      : Math.min(this.#fresh.dueMs, this.#facts.dueMs(nowMs));
    return Math.min(frontDueMs, this.#launchBacklog(nowMs, token, signal));
  }

  #launchBacklog(nowMs: number, token: Secret, signal: AbortSignal): number {
    const underWay = this.#inFlight - (this.#frontBusy ? 1 : 0);
    if (underWay >= IN_FLIGHT_MAX - 1) return Number.POSITIVE_INFINITY;
    // The pace is for a server that is well; one message asks whether it is.
    const paceDueMs = this.#troubled ? nowMs : this.#pace.dueMs;
    const dueMs = this.#feed.dueMs(nowMs, paceDueMs);
    if (dueMs > nowMs) return dueMs;
    void this.#fetch(nowMs, token, signal);
    return Number.POSITIVE_INFINITY;
  }

  async #fetch(nowMs: number, token: Secret, signal: AbortSignal): Promise<void> {
    try {
      const batch = await this.#feed.next(nowMs);
      // Meanwhile the front may have taken the only place there is while the server is in trouble.
      if (batch && this.#hasRoom() && !signal.aborted) {
        this.#pace.sent(this.#ports.clock.monotonicMs(), Math.max(1, batch.bodies.length));
        const parcel = this.#settlement.parcel(batch, this.#backlog, 'backlog', token, signal);
        void this.#send(parcel, 'beside', signal);
      }
    } catch (error) {
      this.#bug = { error };
    } finally {
      this.#progress.notify();
    }
  }

  #hasRoom(): boolean {
    return this.#inFlight < (this.#troubled ? 1 : IN_FLIGHT_MAX);
  }

  /** Fresh readings, else the newest without a date. */
  async #nextFront(token: Secret, signal: AbortSignal): Promise<Parcel | undefined> {
    const batch = await this.#fresh.next(this.#ports.clock.monotonicMs());
    if (batch) return this.#settlement.parcel(batch, this.#fresh, 'front', token, signal);
    return this.#live.parcel(token, signal);
  }

  async #send(parcel: Parcel, place: 'front' | 'beside', signal: AbortSignal): Promise<void> {
    this.#inFlight += 1;
    if (place === 'front') this.#frontBusy = true;
    try {
      const startedMs = this.#ports.clock.monotonicMs();
      let result: Result<void> = { ok: true, value: undefined };
      for (const body of parcel.bodies) {
        result = await parcel.post(body);
        if (!result.ok) break;
      }
      const event = await parcel.settle(result);
      if (event) this.#heard(event, startedMs, signal);
    } catch (error) {
      this.#bug = { error };
    } finally {
      this.#inFlight -= 1;
      if (place === 'front') this.#frontBusy = false;
      this.#progress.notify();
    }
  }

  #heard(event: DeliveryEvent, startedMs: number, signal: AbortSignal): void {
    this.#events.push(event);
    if (event.type === 'refused' && event.refusal.reason !== 'aborted') this.#troubled = true;
    if (event.type !== 'delivered') return;
    const { clock, chance, outbox, log } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (this.#troubled) {
      this.#troubled = false;
      this.#pace.holdUntil(nowMs + chance.random() * this.#settings.drainSpreadMs);
    }
    if (!this.#firstTold && this.#settlement.delivered > 0) {
      this.#firstTold = true;
      tell(log, 'FL-FIRST-TELEMETRY', { afterMs: Math.round(nowMs - startedMs) });
      this.#facts.gather(signal);
    }
    // Told only to a server that listens: until then there may be more of them.
    outbox.tellLosses();
  }
}

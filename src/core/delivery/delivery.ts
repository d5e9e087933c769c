/**
 * Delivers the outbox, and the client attributes.
 *
 * Fresh readings go first, the backlog behind them at a limited rate. At most four requests are in flight,
 * one during an outage. A reading leaves the outbox only after the server accepted it or rejected it alone
 * (batch-result.ts). The facts are collected after the first accepted reading, so that slow facts delay
 * nothing.
 */

import { ChildAbortController } from '../async/abort.ts';
import { AsyncSignal } from '../async/async-signal.ts';
import { logEvent } from '../events/catalogue.ts';
import type { Result } from '../failures/failure.ts';
import { aborted } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Random } from '../ports/random.ts';
import type { HostFacts } from '../ports/sensors.ts';
import type { Transport } from '../ports/transport.ts';
import { AttributeDelivery, type ChangingAttributes } from './attributes.ts';
import { BacklogReader } from './backlog-reader.ts';
import { BatchResultHandler } from './batch-result.ts';
import { BatchWindow } from './batch-window.ts';
import type { DeliveryEvent, OutgoingMessage } from './message.ts';
import { MessageSize } from './message-size.ts';
import { LIMIT_PERIOD_MS, RateLimiter } from './rate-limiter.ts';
import { UndatedDelivery } from './undated.ts';

export interface DeliveryPorts {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly facts: HostFacts;
  readonly log: Logger;
  /** Client attributes beside the facts. Absent if there are none. */
  readonly changingAttributes?: ChangingAttributes | undefined;
  /** Called before each wait for work with a function that ends it; returns a function to call after it. Absent: not needed. */
  readonly onIdle?: ((wake: () => void) => () => void) | undefined;
  /** Called for each accepted message; `readBootMs`: when its newest reading was taken, of this boot. Absent: not needed. */
  readonly onTelemetryAccepted?: ((readBootMs: number) => void) | undefined;
}

export interface DeliverySettings {
  /** Maximum rate of the backlog, messages per second; Infinity disables the limit. */
  readonly drainPerS: number;
  /** After an outage the backlog waits a random part of this, ms, so that a fleet does not drain at once. */
  readonly drainSpreadMs: number;
  /** How long fresh readings are gathered before they are sent together, ms. Default: 0. */
  readonly sendEveryMs?: number;
}

/** Requests in flight: one for fresh readings, the others for the backlog and the facts. */
const IN_FLIGHT_MAX = 4;
/** Incomplete batches of the backlog: one that the server rejects alone delays no more than these. */
const BACKLOG_BATCHES_MAX = 16;
const FRESH_BATCHES_MAX = 4;

export class Delivery {
  readonly #ports: DeliveryPorts;
  readonly #settings: DeliverySettings;
  readonly #rateLimiter: RateLimiter;
  readonly #messageSize = new MessageSize();
  readonly #fresh: BatchWindow;
  readonly #backlog: BatchWindow;
  readonly #backlogReader: BacklogReader;
  /** Notified of internal changes that may allow more work: a response, a fetched batch, collected facts. */
  readonly #progress = new AsyncSignal();
  readonly #attributes: AttributeDelivery;
  readonly #undated: UndatedDelivery;
  readonly #resultHandler: BatchResultHandler;
  #events: DeliveryEvent[] = [];
  #inFlight = 0;
  #isFrontBusy = false;
  /** Monotonic ms; in the past unless the server limits data points. */
  #frontReadyAtMs = Number.NEGATIVE_INFINITY;
  /** Monotonic ms until which fresh readings are gathered. */
  #gathersUntilMs = Number.NEGATIVE_INFINITY;
  /** When the last fresh readings were sent, until the lane is found empty. */
  #freshSentMs: number | undefined;
  /** From a failure that the session saw until the next accepted message. */
  #hasOutage = false;
  #fault: { readonly error: unknown } | undefined;
  #isFirstLogged = false;

  constructor(ports: DeliveryPorts, settings: DeliverySettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#rateLimiter = new RateLimiter(settings.drainPerS);
    this.#fresh = new BatchWindow(ports.outbox.fresh, FRESH_BATCHES_MAX, this.#messageSize);
    this.#backlog = new BatchWindow(ports.outbox.backlog, BACKLOG_BATCHES_MAX, this.#messageSize);
    this.#backlogReader = new BacklogReader(ports.outbox, this.#backlog);
    this.#attributes = new AttributeDelivery(ports, () => this.#progress.notify());
    this.#resultHandler = new BatchResultHandler(ports, this.#rateLimiter, this.#messageSize);
    this.#undated = new UndatedDelivery(ports, this.#resultHandler);
  }

  /** Readings the server accepted since start. */
  get delivered(): number {
    return this.#resultHandler.delivered;
  }

  /** Readings discarded since start. */
  get rejectedCount(): number {
    return this.#resultHandler.discarded.count;
  }

  /**
   * Sends pending messages. Resolves with the first result that is relevant to the session; requests in
   * flight continue.
   */
  async step(token: Secret, signal: AbortSignal): Promise<DeliveryEvent> {
    this.#attributes.setToken(token);
    this.#messageSize.bytesMax = this.#ports.transport.bodyBytesMax(token);
    // Failures during a wait of the session belong to the outage it waited for.
    this.#events = this.#events.filter(({ type }) => type !== 'failed');
    for (;;) {
      if (this.#fault) throw this.#fault.error;
      if (signal.aborted) return { type: 'failed', failure: aborted().failure };
      const event = this.#events.shift();
      if (event) return event;
      const { version } = this.#ports.outbox.changes;
      const progress = this.#progress.version;
      const dueMs = await this.#startNext(token, signal);
      if (this.#events.length === 0) await this.#wait({ outbox: version, progress, dueMs }, signal);
    }
  }

  /** Waits for a change after the `seen` versions, for the monotonic time `dueMs`, or for the abort. */
  async #wait(
    seen: { readonly outbox: number; readonly progress: number; readonly dueMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, outbox, onIdle } = this.#ports;
    const resume = onIdle?.(() => this.#progress.notify());
    const waitForWork = (over: AbortSignal): Promise<void> =>
      AsyncSignal.waitForAny([outbox.changes, this.#progress], [seen.outbox, seen.progress], over);
    if (seen.dueMs === Number.POSITIVE_INFINITY) await waitForWork(signal);
    else {
      using over = new ChildAbortController(signal);
      // At least one millisecond: work that is due now must not block the event loop.
      const forMs = Math.max(1, seen.dueMs - clock.monotonicMs());
      await Promise.race([waitForWork(over.signal), clock.sleep(forMs, over.signal)]);
      over.abort();
    }
    resume?.();
  }

  /** Starts all work that may start now. Returns the monotonic time at which more work becomes due. */
  async #startNext(token: Secret, signal: AbortSignal): Promise<number> {
    if (this.#isFrontReady() && this.#hasRoom()) {
      const front = await this.#nextFrontMessage(token, signal);
      // Readings never wait for facts, which use a slot of the backlog.
      const facts = front
        ? undefined
        : this.#attributes.nextMessage(token, this.#ports.clock.monotonicMs(), signal);
      if (front) void this.#send(front, 'front', signal);
      else if (facts) void this.#send(facts, 'beside', signal);
    }
    if (!this.#hasRoom()) return Number.POSITIVE_INFINITY;
    const nowMs = this.#ports.clock.monotonicMs();
    return Math.min(this.#frontDueMs(nowMs), this.#startBacklog(nowMs, token, signal));
  }

  #frontDueMs(nowMs: number): number {
    if (this.#isFrontBusy) return Number.POSITIVE_INFINITY;
    if (this.#frontReadyAtMs > nowMs) return this.#frontReadyAtMs;
    const gathersUntilMs = this.#isGathering(nowMs) ? this.#gathersUntilMs : Number.POSITIVE_INFINITY;
    return Math.min(this.#fresh.dueMs, gathersUntilMs, this.#attributes.dueMs(nowMs));
  }

  #isFrontReady(): boolean {
    return !this.#isFrontBusy && this.#ports.clock.monotonicMs() >= this.#frontReadyAtMs;
  }

  #startBacklog(nowMs: number, token: Secret, signal: AbortSignal): number {
    const backlogInFlight = this.#inFlight - (this.#isFrontBusy ? 1 : 0);
    if (backlogInFlight >= IN_FLIGHT_MAX - 1) return Number.POSITIVE_INFINITY;
    // The rate limit applies to a working server; during an outage one message checks whether it works again.
    const limitDueMs = this.#hasOutage ? nowMs : this.#rateLimiter.dueMs;
    const dueMs = this.#backlogReader.dueMs(nowMs, limitDueMs);
    if (dueMs > nowMs) return dueMs;
    void this.#fetch(nowMs, token, signal);
    return Number.POSITIVE_INFINITY;
  }

  async #fetch(nowMs: number, token: Secret, signal: AbortSignal): Promise<void> {
    try {
      const batch = await this.#backlogReader.next(nowMs, signal);
      // Meanwhile the front may have taken the only slot of an outage.
      if (batch && this.#hasRoom() && !signal.aborted) {
        this.#rateLimiter.onSent(this.#ports.clock.monotonicMs(), Math.max(1, batch.bodies.length));
        const message = this.#resultHandler.createMessage(batch, this.#backlog, 'backlog', token, signal);
        void this.#send(message, 'beside', signal);
      }
    } catch (error) {
      this.#fault = { error };
    } finally {
      this.#progress.notify();
    }
  }

  #hasRoom(): boolean {
    return this.#inFlight < (this.#hasOutage ? 1 : IN_FLIGHT_MAX);
  }

  /** Fresh readings, else the newest undated reading. */
  async #nextFrontMessage(token: Secret, signal: AbortSignal): Promise<OutgoingMessage | undefined> {
    const nowMs = this.#ports.clock.monotonicMs();
    const batch = this.#isGathering(nowMs) ? undefined : await this.#fresh.next(nowMs, signal);
    if (batch) {
      this.#freshSentMs = nowMs;
      return this.#resultHandler.createMessage(batch, this.#fresh, 'front', token, signal);
    }
    if (this.#freshSentMs !== undefined) {
      this.#gathersUntilMs = this.#freshSentMs + (this.#settings.sendEveryMs ?? 0);
      this.#freshSentMs = undefined;
    }
    return this.#undated.nextMessage(token, signal);
  }

  /** During an outage every message is a question whether the server works again. */
  #isGathering(nowMs: number): boolean {
    return !this.#hasOutage && nowMs < this.#gathersUntilMs;
  }

  async #send(message: OutgoingMessage, slot: 'front' | 'beside', signal: AbortSignal): Promise<void> {
    this.#inFlight += 1;
    const startedMs = this.#ports.clock.monotonicMs();
    if (slot === 'front') this.#onFrontSent(startedMs);
    try {
      let result: Result<void> = { ok: true, value: undefined };
      for (const body of message.bodies) {
        result = await message.post(body);
        if (!result.ok) break;
      }
      const event = await message.onResult(result);
      if (event) this.#onEvent(event, startedMs, signal);
    } catch (error) {
      this.#fault = { error };
    } finally {
      this.#inFlight -= 1;
      if (slot === 'front') this.#isFrontBusy = false;
      this.#progress.notify();
    }
  }

  #onFrontSent(nowMs: number): void {
    this.#isFrontBusy = true;
    this.#rateLimiter.onFrontSent(nowMs);
    // The parts of one reading must not exceed a limit together.
    if (this.#messageSize.isLimited) this.#frontReadyAtMs = nowMs + LIMIT_PERIOD_MS;
  }

  #onEvent(event: DeliveryEvent, startedMs: number, signal: AbortSignal): void {
    this.#events.push(event);
    if (event.type === 'failed' && event.failure.reason !== 'aborted') this.#hasOutage = true;
    if (event.type !== 'delivered') return;
    const { clock, random, outbox, log } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (this.#hasOutage) {
      this.#hasOutage = false;
      this.#rateLimiter.holdUntil(nowMs + random.uniform() * this.#settings.drainSpreadMs);
    }
    if (!this.#isFirstLogged && this.#resultHandler.delivered > 0) {
      this.#isFirstLogged = true;
      logEvent(log, 'FL-TELEMETRY-STARTED', { afterMs: Math.round(nowMs - startedMs) });
      this.#attributes.gather(signal);
    }
    // Losses are reported only to a server that responds: until then there may be more of them.
    outbox.reportLosses();
  }
}

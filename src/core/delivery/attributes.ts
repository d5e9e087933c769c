/**
 * Delivers client attributes: the facts about the host, collected once per start, and those that change while the agent runs,
 * once per start and whenever they change. Each body is posted until it is accepted, and again to another device.
 *
 * Readings take precedence: one body is in flight at a time. Rejected bodies are retried on their own
 * schedule, and the session only sees a rejected token. One that is rejected again with an internal error is halved,
 * because it may exceed a limit of data points (contract section 10).
 */

import type { AsyncSignal } from '../async/async-signal.ts';
import { logEvent } from '../events/catalogue.ts';
import { countFailure, type FailureCounts, waitBeforeMs } from '../failures/backoff.ts';
import type { Failure } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import type { Values } from '../model/reading.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { HostFacts } from '../ports/sensors.ts';
import type { Transport } from '../ports/transport.ts';
import { BODY_BYTES_MAX, encodeAttributes, halveAttributes } from './encode.ts';
import type { DeliveryEvent, OutgoingMessage } from './message.ts';

/** Client attributes that change while the agent runs. */
export interface ChangingAttributes {
  readonly values: Values;
  /** Notified when `values` has changed. */
  readonly changes: AsyncSignal;
}

export interface AttributeDeliveryPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly random: Pick<Random, 'uniform'>;
  readonly facts: HostFacts;
  /** Absent if there are none. */
  readonly changingAttributes?: ChangingAttributes | undefined;
  readonly transport: Transport;
  readonly log: Logger;
}

/** Internal errors for a body before it is halved. */
const HALVE_AFTER_OVERLOADS = 2;

/** Consecutive rejections before the one log line. */
const LOG_AFTER_REJECTIONS = 5;

export class AttributeDelivery {
  readonly #ports: AttributeDeliveryPorts;
  /** Ends the wait of delivery for new work. */
  readonly #notify: () => void;
  /** Bodies not accepted yet, in order. */
  #bodies: string[] = [];
  /** All facts and changing attributes, to post them again to another device. */
  #facts: Values = {};
  #changing: Values = {};
  /** Of the changing attributes. */
  #changingBodies: readonly string[] = [];
  #token: Secret | undefined;
  #isInFlight = false;
  #rejections = 0;
  #failureCounts: FailureCounts = {};
  /** Internal errors for the first body. */
  #overloads = 0;
  /** Time of the next attempt, monotonic ms. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #gathering: Promise<void> | undefined;

  constructor(ports: AttributeDeliveryPorts, notify: () => void) {
    this.#ports = ports;
    this.#notify = notify;
  }

  /** Selects the device: the one with this token. */
  setToken(token: Secret): void {
    const isOther = this.#token !== undefined && !this.#token.equals(token);
    this.#token = token;
    if (!isOther) return;
    this.#changingBodies = this.#encode(this.#changing);
    this.#bodies = [...this.#encode(this.#facts), ...this.#changingBodies];
  }

  /** Starts collecting the facts and following the changing attributes; only the first call has an effect. */
  gather(signal: AbortSignal): void {
    this.#gathering ??= this.#gatherFacts(signal).then(() => this.#followChanges(signal));
  }

  async #gatherFacts(signal: AbortSignal): Promise<void> {
    try {
      this.#facts = await this.#ports.facts.gather(signal);
      this.#enqueue(this.#encode(this.#facts));
    } catch (error) {
      logEvent(this.#ports.log, 'FL-HOST-FACTS-FAILED', { error: String(error) });
    }
  }

  async #followChanges(signal: AbortSignal): Promise<void> {
    const { changingAttributes: attributes } = this.#ports;
    if (!attributes) return;
    while (!signal.aborted) {
      const { version } = attributes.changes;
      const outdated = this.#changingBodies;
      this.#changing = attributes.values;
      this.#changingBodies = this.#encode(this.#changing);
      this.#bodies = this.#bodies.filter((body) => !outdated.includes(body));
      this.#enqueue(this.#changingBodies);
      await attributes.changes.wait(signal, version);
    }
  }

  /** Time at which a rejected body may be posted again, monotonic ms; Infinity if none is waiting. */
  dueMs(nowMs: number): number {
    return this.#bodies.length > 0 && this.#dueMs > nowMs ? this.#dueMs : Number.POSITIVE_INFINITY;
  }

  /** The next body if it is due and none is in flight. The caller must send it. */
  nextMessage(token: Secret, nowMs: number, signal: AbortSignal): OutgoingMessage | undefined {
    const [body] = this.#bodies;
    if (body === undefined || nowMs < this.#dueMs || this.#isInFlight) return undefined;
    this.#isInFlight = true;
    const { transport, log } = this.#ports;
    return {
      bodies: [body],
      post: (text) => transport.postAttributes(token, text, signal),
      onResult: async (result) => {
        this.#isInFlight = false;
        if (!result.ok && result.failure.reason !== 'request-malformed')
          return this.#onRejected(result.failure);
        this.#rejections = 0;
        this.#failureCounts = {};
        this.#overloads = 0;
        // If the token was replaced meanwhile, the new device has not received this body.
        if (this.#token?.equals(token)) this.#bodies = this.#bodies.filter((each) => each !== body);
        if (result.ok) {
          logEvent(log, 'FL-ATTRIBUTES-ACCEPTED');
          return { type: 'delivered' };
        }
        logEvent(log, 'FL-ATTRIBUTES-MALFORMED');
        return { type: 'progressed' };
      },
    };
  }

  #onRejected(failure: Failure): DeliveryEvent | undefined {
    if (failure.reason === 'unauthorized' || failure.reason === 'aborted') return { type: 'failed', failure };
    const { clock, random, log } = this.#ports;
    this.#rejections += 1;
    this.#failureCounts = countFailure(this.#failureCounts, failure.reason);
    if (failure.reason === 'server-overloaded') this.#overloads += 1;
    if (this.#overloads >= HALVE_AFTER_OVERLOADS) this.#halveFirst();
    const { schedule } = FAILURE_POLICIES[failure.reason];
    const count = this.#failureCounts[failure.reason] ?? 1;
    const requestedWaitMs = failure.retryAfterMs ?? 0;
    this.#dueMs = clock.monotonicMs() + requestedWaitMs + waitBeforeMs(schedule, count, random.uniform());
    const fields = { reason: failure.reason, detail: failure.detail };
    if (this.#rejections === LOG_AFTER_REJECTIONS) {
      logEvent(log, 'FL-ATTRIBUTES-REJECTED', fields);
    } else log.debug('the server rejected the client attributes', fields);
    return undefined;
  }

  #halveFirst(): void {
    const [first, ...rest] = this.#bodies;
    if (first === undefined) return;
    this.#bodies = [...halveAttributes(first), ...rest];
    this.#overloads = 0;
  }

  #encode(values: Values): readonly string[] {
    const { transport, log } = this.#ports;
    const bytesMax = this.#token ? transport.bodyBytesMax(this.#token) : BODY_BYTES_MAX;
    const { bodies, oversizedKeys } = encodeAttributes(values, bytesMax);
    if (oversizedKeys.length > 0) {
      logEvent(log, 'FL-ATTRIBUTE-TOO-LARGE', { keys: oversizedKeys.join(','), bytesMax });
    }
    return bodies;
  }

  #enqueue(bodies: readonly string[]): void {
    this.#bodies.push(...bodies);
    this.#notify();
  }
}

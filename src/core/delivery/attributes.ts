/**
 * Delivers the facts about the host as client attributes: collected once per start, posted until each body is
 * accepted, and posted again to another device.
 *
 * Readings take precedence: one body is in flight at a time. Rejected bodies are retried on their own
 * schedule, and the session only sees a rejected token. One that is rejected again with an internal error is halved,
 * because it may exceed a limit of data points (contract section 10).
 */

import { logEvent } from '../events/catalogue.ts';
import { waitBeforeMs } from '../failures/backoff.ts';
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

export interface AttributeDeliveryPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly random: Pick<Random, 'uniform'>;
  readonly facts: HostFacts;
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
  /** All bodies, to post them again to another device. */
  #allBodies: readonly string[] = [];
  #token: Secret | undefined;
  #isInFlight = false;
  #rejections = 0;
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
    if (this.#token && !this.#token.equals(token)) this.#bodies = [...this.#allBodies];
    this.#token = token;
  }

  /** Starts collecting the facts; only the first call has an effect. */
  gather(signal: AbortSignal): void {
    this.#gathering ??= this.#ports.facts.gather(signal).then(
      (values) => this.#setAttributes(values),
      (error: unknown) => {
        logEvent(this.#ports.log, 'FL-HOST-FACTS-FAILED', { error: String(error) });
      },
    );
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
        this.#overloads = 0;
        // If the token was replaced meanwhile, the new device has not received this body.
        if (this.#token?.equals(token)) this.#bodies.shift();
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
    if (failure.reason === 'server-overloaded') this.#overloads += 1;
    if (this.#overloads >= HALVE_AFTER_OVERLOADS) this.#halveFirst();
    const { schedule } = FAILURE_POLICIES[failure.reason];
    const requestedWaitMs = failure.retryAfterMs ?? 0;
    this.#dueMs =
      clock.monotonicMs() + requestedWaitMs + waitBeforeMs(schedule, this.#rejections, random.uniform());
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

  #setAttributes(values: Values): void {
    const encoded = encodeAttributes(values);
    if (encoded.oversizedKeys.length > 0) {
      logEvent(this.#ports.log, 'FL-ATTRIBUTE-TOO-LARGE', {
        keys: encoded.oversizedKeys.join(','),
        bytesMax: BODY_BYTES_MAX,
      });
    }
    this.#allBodies = encoded.bodies;
    this.#bodies = [...encoded.bodies];
    this.#notify();
  }
}

/**
 * The host's facts on their way to the server: gathered once per start, posted as client attributes until each
 * body is accepted, and all of them again when the device has become another one.
 *
 * They are worth less than any reading: one body at a time, and none that a reading would wait for. A server that refuses
 * them is tried again later and later, by their own schedule, and the session never waits for their sake. Only a refused
 * token is its business.
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
import { BODY_BYTES_MAX, encodeAttributes } from './encode.ts';
import type { DeliveryEvent, OutgoingMessage } from './message.ts';

export interface AttributeDeliveryPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly random: Pick<Random, 'uniform'>;
  readonly facts: HostFacts;
  readonly transport: Transport;
  readonly log: Logger;
}

/** One refusal is an accident; so many in a row are told, once. */
const LOG_AFTER_REJECTIONS = 5;

export class AttributeDelivery {
  readonly #ports: AttributeDeliveryPorts;
  /** Ends a wait for something to deliver. */
  readonly #notify: () => void;
  /** Not yet accepted, in order. */
  #bodies: string[] = [];
  /** All of them, for the case that the device becomes another one. */
  #allBodies: readonly string[] = [];
  #token: Secret | undefined;
  #isInFlight = false;
  #rejections = 0;
  /** Not before this, monotonic ms. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #gathering: Promise<void> | undefined;

  constructor(ports: AttributeDeliveryPorts, notify: () => void) {
    this.#ports = ports;
    this.#notify = notify;
  }

  /** From now on the device is the one of this token. */
  setToken(token: Secret): void {
    if (this.#token && !this.#token.equals(token)) this.#bodies = [...this.#allBodies];
    this.#token = token;
  }

  /** Sets the gathering off; only the first call does anything. */
  gather(signal: AbortSignal): void {
    this.#gathering ??= this.#ports.facts.gather(signal).then(
      (values) => this.#setAttributes(values),
      (error: unknown) => {
        logEvent(this.#ports.log, 'FL-HOST-FACTS-FAILED', { error: String(error) });
      },
    );
  }

  /** When a body that was refused may be tried again, monotonic ms; Infinity when none is held back. */
  dueMs(nowMs: number): number {
    return this.#bodies.length > 0 && this.#dueMs > nowMs ? this.#dueMs : Number.POSITIVE_INFINITY;
  }

  /** The next body, if one waits and is due, and none is under way. It must be sent. */
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
        // Of a token that was replaced meanwhile: the new device has not seen it.
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
    const { schedule } = FAILURE_POLICIES[failure.reason];
    const requestedWaitMs = failure.retryAfterMs ?? 0;
    this.#dueMs =
      clock.monotonicMs() + requestedWaitMs + waitBeforeMs(schedule, this.#rejections, random.uniform());
    const fields = { reason: failure.reason, detail: failure.detail };
    if (this.#rejections === LOG_AFTER_REJECTIONS) {
      logEvent(log, 'FL-ATTRIBUTES-REJECTED', fields);
    } else log.debug('the client attributes were refused', fields);
    return undefined;
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

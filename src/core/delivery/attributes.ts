/**
 * The host's facts on their way to the server: gathered once per start, posted as client attributes until each
 * body is accepted, and all of them again when the device has become another one.
 *
 * They are worth less than any reading: one body at a time, and none that a reading would wait for. A server that refuses
 * them is tried again later and later, by their own schedule, and the session never waits for their sake. Only a refused
 * token is its business.
 */

import { tell } from '../events/catalogue.ts';
import { waitBeforeMs } from '../failures/backoff.ts';
import type { Refusal } from '../failures/failure.ts';
import { VERDICTS } from '../failures/policies.ts';
import type { Values } from '../model/reading.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { Chance } from '../ports/random.ts';
import type { HostFacts } from '../ports/sensors.ts';
import type { Transport } from '../ports/transport.ts';
import { BODY_BYTES_MAX, packAttributes } from './encode.ts';
import type { DeliveryEvent, Parcel } from './message.ts';

export interface FactsPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly chance: Pick<Chance, 'random'>;
  readonly facts: HostFacts;
  readonly transport: Transport;
  readonly log: Logger;
}

/** One refusal is an accident; so many in a row are told, once. */
const FACTS_TOLD_AFTER = 5;

export class FactsDelivery {
  readonly #ports: FactsPorts;
  /** Ends a wait for something to deliver. */
  readonly #wake: () => void;
  /** Not yet accepted, in order. */
  #bodies: string[] = [];
  /** All of them, for the case that the device becomes another one. */
  #all: readonly string[] = [];
  #token: Secret | undefined;
  #isUnderWay = false;
  #refusals = 0;
  /** Not before this, monotonic ms. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #gathered: Promise<void> | undefined;

  constructor(ports: FactsPorts, wake: () => void) {
    this.#ports = ports;
    this.#wake = wake;
  }

  /** From now on the device is the one of this token. */
  use(token: Secret): void {
    if (this.#token && !this.#token.equals(token)) this.#bodies = [...this.#all];
    this.#token = token;
  }

  /** Sets the gathering off; only the first call does anything. */
  gather(signal: AbortSignal): void {
    this.#gathered ??= this.#ports.facts.gather(signal).then(
      (values) => this.#ready(values),
      (error: unknown) => {
        tell(this.#ports.log, 'FL-FACTS-MISSING', { error: String(error) });
      },
    );
  }

  /** When a body that was refused may be tried again, monotonic ms; Infinity when none is held back. */
  dueMs(nowMs: number): number {
    return this.#bodies.length > 0 && this.#dueMs > nowMs ? this.#dueMs : Number.POSITIVE_INFINITY;
  }

  /** The next body, if one waits and is due, and none is under way. It must be sent. */
  parcel(token: Secret, nowMs: number, signal: AbortSignal): Parcel | undefined {
    const [body] = this.#bodies;
    if (body === undefined || nowMs < this.#dueMs || this.#isUnderWay) return undefined;
    this.#isUnderWay = true;
    const { transport, log } = this.#ports;
    return {
      bodies: [body],
      post: (text) => transport.postAttributes(token, text, signal),
      settle: async (result) => {
        this.#isUnderWay = false;
        if (!result.ok && result.refusal.reason !== 'malformed') return this.#refused(result.refusal);
        this.#refusals = 0;
        // Of a token that was replaced meanwhile: the new device has not seen it.
        if (this.#token?.equals(token)) this.#bodies.shift();
        if (result.ok) {
          tell(log, 'FL-ATTRIBUTES');
          return { type: 'delivered' };
        }
        tell(log, 'FL-ATTRIBUTES-MALFORMED');
        return { type: 'stepped' };
      },
    };
  }

  #refused(refusal: Refusal): DeliveryEvent | undefined {
    if (refusal.reason === 'unauthorized' || refusal.reason === 'aborted')
      return { type: 'refused', refusal };
    const { clock, chance, log } = this.#ports;
    this.#refusals += 1;
    const { schedule } = VERDICTS[refusal.reason];
    const asMuchAsAskedMs = refusal.retryAfterMs ?? 0;
    this.#dueMs =
      clock.monotonicMs() + asMuchAsAskedMs + waitBeforeMs(schedule, this.#refusals, chance.random());
    const fields = { reason: refusal.reason, seen: refusal.detail };
    if (this.#refusals === FACTS_TOLD_AFTER) {
      tell(log, 'FL-ATTRIBUTES-REFUSED', fields);
    } else log.debug('the client attributes were refused', fields);
    return undefined;
  }

  #ready(values: Values): void {
    const packed = packAttributes(values);
    if (packed.oversizedKeys.length > 0) {
      tell(this.#ports.log, 'FL-ATTRIBUTE-TOO-LARGE', {
        keys: packed.oversizedKeys.join(','),
        bytesMax: BODY_BYTES_MAX,
      });
    }
    this.#all = packed.bodies;
    this.#bodies = [...packed.bodies];
    this.#wake();
  }
}

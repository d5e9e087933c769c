/**
 * The host's facts on their way to the server: gathered once per start, posted as client attributes until each
 * body is accepted, and all of them again when the device has become another one.
 */

import { BODY_BYTES_MAX, packAttributes } from './packing.ts';
import type { Parcel } from './parcel.ts';
import type { HostFacts, Logger, Transport } from './ports.ts';
import type { Values } from './reading.ts';
import type { Secret } from './secret.ts';

export interface FactsPorts {
  readonly facts: HostFacts;
  readonly transport: Transport;
  readonly log: Logger;
}

export class FactsDelivery {
  readonly #ports: FactsPorts;
  /** Ends a wait for something to deliver. */
  readonly #wake: () => void;
  /** Not yet accepted, in order. */
  #bodies: string[] = [];
  /** All of them, for the case that the device becomes another one. */
  #all: readonly string[] = [];
  #token: Secret | undefined;
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
        this.#ports.log.warn(
          'the facts about this host could not be gathered; telemetry goes on without them',
          { error: String(error) },
        );
      },
    );
  }

  /** The next body, if one waits. */
  parcel(token: Secret, signal: AbortSignal): Parcel | undefined {
    const [body] = this.#bodies;
    if (body === undefined) return undefined;
    const { transport, log } = this.#ports;
    return {
      bodies: [body],
      post: (text) => transport.postAttributes(token, text, signal),
      settle: async (result) => {
        if (!result.ok && result.refusal.reason !== 'malformed')
          return { type: 'refused', refusal: result.refusal };
        // Of a token that was replaced meanwhile: the new device has not seen it.
        if (this.#token?.equals(token)) this.#bodies.shift();
        if (result.ok) {
          log.info('client attributes accepted');
          return { type: 'delivered' };
        }
        log.error('the server calls the client attributes malformed; they were left out');
        return { type: 'stepped' };
      },
    };
  }

  #ready(values: Values): void {
    const packed = packAttributes(values);
    if (packed.oversizedKeys.length > 0) {
      this.#ports.log.error('a fact about this host is too large for one datagram and was left out', {
        keys: packed.oversizedKeys.join(','),
        bytesMax: BODY_BYTES_MAX,
      });
    }
    this.#all = packed.bodies;
    this.#bodies = [...packed.bodies];
    this.#wake();
  }
}

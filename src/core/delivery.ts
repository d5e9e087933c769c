/**
 * Delivery: one step of emptying the outbox, and the host's facts once per start.
 *
 * Promises: a reading leaves the outbox only after the server accepted it, or after the server called it
 * malformed when it was sent alone; then it is set aside and counted. Nothing here waits before repeating:
 * the session decides when to come back. Facts are gathered only after the first reading was accepted, so
 * that a slow gathering delays nothing.
 */

import { LinkedAbort } from './linked-abort.ts';
import { BODY_BYTES_MAX, packAttributes, packTelemetry } from './packing.ts';
import type { Clock, HostFacts, Logger, Outbox, Result, Transport } from './ports.ts';
import type { Secret } from './secret.ts';
import type { Event } from './session-state.ts';

/** Most readings put into one body; the byte bound usually ends a body earlier. */
const BATCH_MAX = 64;

export interface DeliveryPorts {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly facts: HostFacts;
  readonly log: Logger;
}

export class Delivery {
  readonly #ports: DeliveryPorts;
  /** Attribute bodies not yet accepted, in order. */
  #attributeBodies: string[] = [];
  /** All of them, for the case that the device becomes another one. */
  #allAttributes: readonly string[] = [];
  #token: Secret | undefined;
  #factsGathered: Promise<void> | undefined;
  /** Ends the wait for a reading: there is something else to deliver. */
  #wake: () => void = () => {};
  #batchMax = BATCH_MAX;
  /** Lone malformed readings since the last accepted one: none, one set aside, or one kept and waited for. */
  #aloneRefused: 'never' | 'once' | 'waited' = 'never';
  readonly #oversizedTold = new Set<string>();
  #delivered = 0;
  #setAside = 0;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
  }

  /** Readings the server accepted since start. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Readings set aside because the server calls them malformed, or no value of theirs fits a datagram. */
  get setAside(): number {
    return this.#setAside;
  }

  /** Waits for something to deliver and tries it once. */
  async step(token: Secret, signal: AbortSignal): Promise<Event> {
    const { outbox } = this.#ports;
    if (this.#token && !this.#token.equals(token)) this.#attributeBodies = [...this.#allAttributes];
    this.#token = token;
    if (this.#attributeBodies.length === 0 && outbox.size === 0) {
      using wait = new LinkedAbort(signal);
      this.#wake = () => wait.abort();
      await outbox.waitForReading(wait.signal);
    }
    if (signal.aborted) return refusedByStopping();
    if (outbox.size > 0) return this.#telemetry(token, signal);
    if (this.#attributeBodies.length > 0) return this.#attributes(token, signal);
    return { type: 'stepped' };
  }

  async #telemetry(token: Secret, signal: AbortSignal): Promise<Event> {
    const { clock, log, outbox, transport } = this.#ports;
    const packed = packTelemetry(outbox.peek(this.#batchMax));
    this.#tellOversized(packed.oversizedKeys);
    if (packed.bodies.length === 0) return this.#leaveOut(packed.count);
    const startedMs = clock.monotonicMs();
    for (const body of packed.bodies) {
      const result = await transport.postTelemetry(token, body, signal);
      if (!result.ok) return this.#telemetryRefused(result, packed.count);
    }
    outbox.acknowledge(packed.count);
    if (this.#delivered === 0) {
      log.info('first telemetry accepted', { afterMs: Math.round(clock.monotonicMs() - startedMs) });
      this.#gatherFacts(signal);
    }
    this.#delivered += packed.count;
    this.#batchMax = BATCH_MAX;
    this.#aloneRefused = 'never';
    log.debug('telemetry accepted', { readings: packed.count, waiting: outbox.size });
    return { type: 'delivered' };
  }

  /** A reading of nothing but oversized values: nothing is left of it to send. */
  #leaveOut(count: number): Event {
    this.#ports.outbox.acknowledge(count);
    this.#setAside += count;
    return { type: 'stepped' };
  }

  /**
   * A malformed batch is halved until the bad reading is alone; alone, it is set aside so that it holds up
   * nothing. A second one with nothing accepted in between says that the server takes none of ours: then they
   * are kept, and each waiting time costs one reading at most.
   */
  #telemetryRefused(result: Result<void> & { ok: false }, count: number): Event {
    const { log, outbox } = this.#ports;
    if (result.refusal.reason !== 'malformed') return { type: 'refused', refusal: result.refusal };
    if (count > 1) {
      this.#batchMax = Math.ceil(count / 2);
      return { type: 'stepped' };
    }
    if (this.#aloneRefused === 'once') {
      this.#aloneRefused = 'waited';
      return { type: 'refused', refusal: result.refusal };
    }
    this.#aloneRefused = 'once';
    outbox.acknowledge(1);
    this.#setAside += 1;
    log.error('the server calls one reading malformed; it was set aside so that the others go on', {
      setAside: this.#setAside,
    });
    return { type: 'stepped' };
  }

  async #attributes(token: Secret, signal: AbortSignal): Promise<Event> {
    const [body] = this.#attributeBodies;
    if (body === undefined) return { type: 'stepped' };
    const result = await this.#ports.transport.postAttributes(token, body, signal);
    if (!result.ok && result.refusal.reason !== 'malformed')
      return { type: 'refused', refusal: result.refusal };
    this.#attributeBodies.shift();
    if (result.ok) {
      this.#ports.log.info('client attributes accepted');
      return { type: 'delivered' };
    }
    this.#ports.log.error('the server calls the client attributes malformed; they were left out');
    return { type: 'stepped' };
  }

  /** Once for each key: it will be too large at every reading. */
  #tellOversized(keys: readonly string[]): void {
    const fresh = keys.filter((key) => !this.#oversizedTold.has(key));
    if (fresh.length === 0) return;
    for (const key of fresh) this.#oversizedTold.add(key);
    this.#ports.log.error(
      'a value is too large for one datagram and was left out: shorten or switch off its sensor',
      { keys: fresh.join(','), bytesMax: BODY_BYTES_MAX },
    );
  }

  #gatherFacts(signal: AbortSignal): void {
    this.#factsGathered ??= this.#ports.facts.gather(signal).then(
      (values) => {
        const packed = packAttributes(values);
        this.#tellOversized(packed.oversizedKeys);
        this.#allAttributes = packed.bodies;
        this.#attributeBodies = [...packed.bodies];
        this.#wake();
      },
      (error: unknown) => {
        this.#ports.log.warn(
          'the facts about this host could not be gathered; telemetry goes on without them',
          {
            error: String(error),
          },
        );
      },
    );
  }
}

function refusedByStopping(): Event {
  return { type: 'refused', refusal: { reason: 'aborted', detail: 'stopping' } };
}

/**
 * One observation (RFC 7641): what a device is still owed, in which order, and what happens when it does not answer.
 *
 *   idle ── notify ──▶ in flight ── ACK ──▶ idle, or the waiting one goes out
 *                          │ notify: waits, and takes the place of one already waiting
 *                          ├── RST ──▶ over
 *                          └── no ACK ──▶ over, with every other observation of that peer
 *
 * Only one CON is in flight, so a slow client misses what lay between; the Observe numbers show the gap (contract,
 * section 5). A NON observation never waits. Each pushed RPC is reported to the core exactly once.
 */

import { type CoapRequest, type CoapResponse, encode } from './message.ts';
import { optionNumber, uintOption } from './options.ts';
import type { ServerContext } from './reply.ts';
import type { DeliveryOutcome } from './transmissions.ts';

export interface ObservationEvents {
  /** The peer rejected a notification. */
  onReset(): void;
  /** The peer is gone: four retransmissions were not acknowledged. */
  onTimeout(): void;
  /** A pushed command arrived, or did not within 10 s (section 6). */
  onRpcDelivered(id: number, delivered: boolean): void;
  /** Cuts an answer to the block size the peer takes. */
  applyBlockSize(response: CoapResponse): CoapResponse;
}

interface Notification {
  readonly response: CoapResponse;
  readonly report?: (delivered: boolean) => void;
}

const json = uintOption(optionNumber.contentFormat, 50);

export class Observation {
  readonly request: CoapRequest;
  readonly #context: ServerContext;
  readonly #events: ObservationEvents;
  readonly #unreported = new Set<(delivered: boolean) => void>();
  #sequence = 0;
  #inFlight: { readonly stop: () => void } | undefined;
  #queued: Notification | undefined;
  #state: 'open' | 'closing' | 'over' = 'open';

  constructor(request: CoapRequest, context: ServerContext, events: ObservationEvents) {
    this.request = request;
    this.#context = context;
    this.#events = events;
  }

  /** To be called around the first answer: it is a CON in flight like any other when it goes out as one. */
  sendFirstResponse(send: (onOutcome: (outcome: DeliveryOutcome) => void) => void): void {
    this.#inFlight = { stop: () => {} };
    send((outcome) => this.#onOutcome(outcome));
  }

  notify(text: string): void {
    this.#push({ response: this.#createNotification(text) });
  }

  pushCommand(id: number, text: string): void {
    if (this.#state !== 'open') return this.#events.onRpcDelivered(id, false);
    let stopTimer = () => {};
    const report = (delivered: boolean) => {
      stopTimer();
      if (this.#unreported.delete(report)) this.#events.onRpcDelivered(id, delivered);
    };
    this.#unreported.add(report);
    if (this.request.confirmable) {
      stopTimer = this.#context.timers.schedule(this.#context.settings.rpcAckMs, () => report(false));
    }
    this.#push({ response: this.#createNotification(text), report });
  }

  /** The server ends it: 2.02 with Observe 0, behind whatever is in flight (section 5). */
  close(): void {
    if (this.#state !== 'open') return;
    this.#push({ response: { code: '2.02', options: [uintOption(optionNumber.observe, 0)] } });
    if (this.#state === 'open') this.#state = 'closing';
    if (this.#inFlight === undefined) this.drop();
  }

  /** Over at once, and nothing more is said. */
  drop(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#inFlight?.stop();
    this.#inFlight = undefined;
    this.#queued = undefined;
    for (const report of [...this.#unreported]) report(false);
  }

  #createNotification(text: string): CoapResponse {
    this.#sequence += 1;
    // 24 bits (RFC 7641 section 3.4).
    const observe = uintOption(optionNumber.observe, this.#sequence % 0x1000000);
    return this.#events.applyBlockSize({
      code: '2.05',
      options: [observe, json],
      payload: Buffer.from(text),
    });
  }

  #push(notification: Notification): void {
    if (this.#state !== 'open') return;
    if (this.#inFlight !== undefined) this.#queued = notification;
    else this.#transmit(notification);
  }

  #transmit({ response, report }: Notification): void {
    const { peer, token, confirmable } = this.request;
    const { transmissions } = this.#context;
    const messageId = transmissions.randomMessageId(peer);
    if (!confirmable) {
      transmissions.trackNonConfirmable(peer, messageId, () => this.#events.onReset());
      this.#context.send(peer, encode('non', messageId, token, response));
      report?.(true);
      return;
    }
    const datagram = encode('con', messageId, token, response);
    const stop = transmissions.sendConfirmable(peer, messageId, datagram, (outcome) => {
      report?.(outcome === 'acknowledged');
      this.#onOutcome(outcome);
    });
    this.#inFlight = { stop };
  }

  #onOutcome(outcome: DeliveryOutcome): void {
    this.#inFlight = undefined;
    if (this.#state === 'over') return;
    if (outcome === 'reset') return this.#events.onReset();
    if (outcome === 'timeout') return this.#events.onTimeout();
    const next = this.#queued;
    this.#queued = undefined;
    if (next !== undefined) this.#transmit(next);
    else if (this.#state === 'closing') this.drop();
  }
}

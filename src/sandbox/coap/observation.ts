/**
 * One observation (RFC 7641). Only one CON is in flight, so a slow client misses notifications (contract
 * section 5):
 *
 *   idle ── notify ──▶ in flight ── ACK ──▶ idle, or sends the queued notification
 *                          │ notify: queued; replaces a queued one
 *                          ├── RST ──▶ closed
 *                          └── no ACK ──▶ closed, with every other observation of that peer
 *
 * A NON observation sends at once. The delivery of each pushed RPC is reported to the core exactly once.
 */

import { type CoapRequest, type CoapResponse, encode } from './message.ts';
import { optionNumber, uintOption } from './options.ts';
import type { ServerContext } from './reply.ts';
import type { DeliveryOutcome } from './transmissions.ts';

export interface ObservationEvents {
  /** The peer rejected a notification. */
  onReset(): void;
  /** The peer acknowledged none of four retransmissions. */
  onTimeout(): void;
  /** A pushed RPC was acknowledged, or was not within 10 s (section 6). */
  onRpcDelivered(id: number, delivered: boolean): void;
  /** Cuts a response to the block size of the peer. */
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
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(request: CoapRequest, context: ServerContext, events: ObservationEvents) {
    this.request = request;
    this.#context = context;
    this.#events = events;
  }

  /** Sends the response to the registration, which counts as in flight if it is a CON. */
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

  /** The server ends the observation: 2.02 with Observe 0, after the CON in flight (section 5). */
  close(): void {
    if (this.#state !== 'open') return;
    this.#push({ response: { code: '2.02', options: [uintOption(optionNumber.observe, 0)] } });
    if (this.#state === 'open') this.#state = 'closing';
    if (this.#inFlight === undefined) this.drop();
  }

  /** Closes at once and sends nothing more. */
  drop(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
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
    if (this.#state === 'closed') return;
    if (outcome === 'reset') return this.#events.onReset();
    if (outcome === 'timeout') return this.#events.onTimeout();
    const next = this.#queued;
    this.#queued = undefined;
    if (next !== undefined) this.#transmit(next);
    else if (this.#state === 'closing') this.drop();
  }
}

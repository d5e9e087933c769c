/**
 * The reply to one request: its acknowledgement, its response, and the response to duplicates (contract
 * section 2):
 *
 *   working ── 500 ms, CON ──▶ accepted          duplicate: nothing / empty ACK
 *      │                           │
 *      │ kind B, CON               └──▶ separate  (CON; duplicate: empty ACK, and the CON again until it is ACKed)
 *      ├─────────────▶ piggybacked                (duplicate: the same ACK again)
 *      ├─ kind A, CON ▶ separate                  (with no ACK of the request at all)
 *      └─ NON ────────▶ non                       (duplicate: the same NON again)
 *
 * Kind A: ThingsBoard sets the message type. Kind B: the CoAP stack chooses it.
 */

import type { Knobs } from '../core/model/types.ts';
import { type CoapRequest, type CoapResponse, emptyMessage, encode, type Peer } from './message.ts';
import type { CoapSettings } from './settings.ts';
import type { Timers } from './timers.ts';
import type { DeliveryOutcome, Send, Transmissions } from './transmissions.ts';

export type ResponseKind = 'A' | 'B';

/** Shared by all parts of one server instance. */
export interface ServerContext {
  readonly send: Send;
  readonly timers: Timers;
  readonly transmissions: Transmissions;
  readonly settings: CoapSettings;
  readonly knobs: Knobs;
}

type State =
  | { readonly phase: 'working' | 'accepted' }
  | { readonly phase: 'piggybacked' | 'non'; readonly datagram: Buffer }
  | { readonly phase: 'separate'; readonly datagram: Buffer; readonly acknowledged: boolean };

export class Reply {
  readonly #context: ServerContext;
  readonly #peer: Peer;
  readonly #messageId: number;
  readonly #token: Buffer;
  readonly #confirmable: boolean;
  #state: State = { phase: 'working' };
  #cancelDeferral = () => {};

  constructor(request: CoapRequest, context: ServerContext) {
    this.#context = context;
    this.#peer = request.peer;
    this.#messageId = request.messageId;
    this.#token = request.token;
    this.#confirmable = request.confirmable;
    if (!request.confirmable) return;
    this.#cancelDeferral = context.timers.schedule(context.settings.piggybackMs, () => this.acknowledge());
  }

  /** Sends an empty ACK. Does nothing for a NON request or after the response. */
  acknowledge(): void {
    if (!this.#confirmable || this.#state.phase !== 'working') return;
    this.#cancelDeferral();
    this.#state = { phase: 'accepted' };
    this.#acknowledge();
  }

  /**
   * Responds, once. `onOutcome` receives the delivery; a piggybacked or NON response counts as acknowledged.
   */
  send(
    response: CoapResponse,
    kind: ResponseKind,
    onOutcome: (outcome: DeliveryOutcome) => void = () => {},
  ): void {
    const isWorking = this.#state.phase === 'working';
    if (!isWorking && this.#state.phase !== 'accepted') return;
    this.#cancelDeferral();
    if (!this.#confirmable) {
      const messageId = this.#context.transmissions.nextMessageId(this.#peer);
      this.#sendOnce('non', encode('non', messageId, this.#token, response));
      onOutcome('acknowledged');
    } else if (isWorking && (kind === 'B' || this.#context.knobs.kindA === 'piggyback')) {
      this.#sendOnce('piggybacked', encode('ack', this.#messageId, this.#token, response));
      onOutcome('acknowledged');
    } else {
      this.#sendSeparately(response, onOutcome);
    }
  }

  /** Handles a duplicate of the request; returns what was done, for the record. */
  repeat(): string {
    switch (this.#state.phase) {
      case 'working':
        return 'ignored, still working';
      case 'accepted':
        this.#acknowledge();
        return 'acknowledged again';
      case 'piggybacked':
      case 'non':
        this.#context.send(this.#peer, this.#state.datagram);
        return 'same answer again';
      case 'separate':
        this.#acknowledge();
        if (this.#state.acknowledged) return 'acknowledged only, the answer had arrived';
        this.#context.send(this.#peer, this.#state.datagram);
        return 'acknowledged, same answer again';
    }
  }

  #sendOnce(phase: 'piggybacked' | 'non', datagram: Buffer): void {
    this.#state = { phase, datagram };
    this.#context.send(this.#peer, datagram);
  }

  #sendSeparately(response: CoapResponse, onOutcome: (outcome: DeliveryOutcome) => void): void {
    const messageId = this.#context.transmissions.nextMessageId(this.#peer);
    const datagram = encode('con', messageId, this.#token, response);
    this.#state = { phase: 'separate', datagram, acknowledged: false };
    this.#context.transmissions.sendConfirmable(this.#peer, messageId, datagram, (outcome) => {
      if (outcome !== 'timeout') this.#state = { phase: 'separate', datagram, acknowledged: true };
      onOutcome(outcome);
    });
  }

  #acknowledge(): void {
    this.#context.send(this.#peer, emptyMessage('ack', this.#messageId));
  }
}

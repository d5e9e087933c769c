/**
 * The server's side of one request: when it is acknowledged, in which shape it is answered, and what a duplicate of
 * it gets (contract, section 2).
 *
 *   working ── 500 ms, CON ──▶ accepted          duplicate: silence / empty ACK
 *      │                           │
 *      │ kind B, CON               └──▶ separate  (CON; duplicate: empty ACK, and the CON again until it is ACKed)
 *      ├─────────────▶ piggybacked                (duplicate: the same ACK again)
 *      ├─ kind A, CON ▶ separate                  (with no ACK of the request at all)
 *      └─ NON ────────▶ non                       (duplicate: the same NON again)
 *
 * Kind A is the answer whose type ThingsBoard forces, kind B the one it leaves to its stack. A request that is never
 * answered stays in `working` or `accepted` for good.
 */

import type { Knobs } from '../core/model/types.ts';
import { type CoapRequest, type CoapResponse, emptyMessage, encode, type Peer } from './message.ts';
import type { CoapSettings } from './settings.ts';
import type { Timers } from './timers.ts';
import type { DeliveryOutcome, Send, Transmissions } from './transmissions.ts';

export type ResponseKind = 'A' | 'B';

/** What the parts of one server life share. */
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

  /** Acknowledges the request without answering it yet. Does nothing for NON, or once answered. */
  acknowledge(): void {
    if (!this.#confirmable || this.#state.phase !== 'working') return;
    this.#cancelDeferral();
    this.#state = { phase: 'accepted' };
    this.#acknowledge();
  }

  /** Answers, once. `settled` learns whether the answer arrived; a piggybacked or NON one counts as arrived. */
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

  /** The request came again; says what was done about it. */
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

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
import type { Outcome, Send, Transmissions } from './transmissions.ts';

export type Kind = 'A' | 'B';

/** What the parts of one server life share. */
export interface Road {
  readonly send: Send;
  readonly timers: Timers;
  readonly transmissions: Transmissions;
  readonly settings: CoapSettings;
  readonly knobs: Knobs;
}

type State =
  | { readonly at: 'working' | 'accepted' }
  | { readonly at: 'piggybacked' | 'non'; readonly datagram: Buffer }
  | { readonly at: 'separate'; readonly datagram: Buffer; readonly acknowledged: boolean };

export class Reply {
  readonly #road: Road;
  readonly #peer: Peer;
  readonly #messageId: number;
  readonly #token: Buffer;
  readonly #confirmable: boolean;
  #state: State = { at: 'working' };
  #stopDeferral = () => {};

  constructor(request: CoapRequest, road: Road) {
    this.#road = road;
    this.#peer = request.peer;
    this.#messageId = request.messageId;
    this.#token = request.token;
    this.#confirmable = request.confirmable;
    if (!request.confirmable) return;
    this.#stopDeferral = road.timers.after(road.settings.piggybackMs, () => this.accept());
  }

  /** Acknowledges the request without answering it yet. Does nothing for NON, or once answered. */
  accept(): void {
    if (!this.#confirmable || this.#state.at !== 'working') return;
    this.#stopDeferral();
    this.#state = { at: 'accepted' };
    this.#acknowledge();
  }

  /** Answers, once. `settled` learns whether the answer arrived; a piggybacked or NON one counts as arrived. */
  send(response: CoapResponse, kind: Kind, settled: (outcome: Outcome) => void = () => {}): void {
    const working = this.#state.at === 'working';
    if (!working && this.#state.at !== 'accepted') return;
    this.#stopDeferral();
    if (!this.#confirmable) {
      const messageId = this.#road.transmissions.nextMessageId(this.#peer);
      this.#sendOnce('non', encode('non', messageId, this.#token, response));
      settled('acknowledged');
    } else if (working && (kind === 'B' || this.#road.knobs.kindA === 'piggyback')) {
      this.#sendOnce('piggybacked', encode('ack', this.#messageId, this.#token, response));
      settled('acknowledged');
    } else {
      this.#sendSeparately(response, settled);
    }
  }

  /** The request came again; says what was done about it. */
  repeat(): string {
    switch (this.#state.at) {
      case 'working':
        return 'ignored, still working';
      case 'accepted':
        this.#acknowledge();
        return 'acknowledged again';
      case 'piggybacked':
      case 'non':
        this.#road.send(this.#peer, this.#state.datagram);
        return 'same answer again';
      case 'separate':
        this.#acknowledge();
        if (this.#state.acknowledged) return 'acknowledged only, the answer had arrived';
        this.#road.send(this.#peer, this.#state.datagram);
        return 'acknowledged, same answer again';
    }
  }

  #sendOnce(at: 'piggybacked' | 'non', datagram: Buffer): void {
    this.#state = { at, datagram };
    this.#road.send(this.#peer, datagram);
  }

  #sendSeparately(response: CoapResponse, settled: (outcome: Outcome) => void): void {
    const messageId = this.#road.transmissions.nextMessageId(this.#peer);
    const datagram = encode('con', messageId, this.#token, response);
    this.#state = { at: 'separate', datagram, acknowledged: false };
    this.#road.transmissions.confirm(this.#peer, messageId, datagram, (outcome) => {
      if (outcome !== 'timeout') this.#state = { at: 'separate', datagram, acknowledged: true };
      settled(outcome);
    });
  }

  #acknowledge(): void {
    this.#road.send(this.#peer, emptyMessage('ack', this.#messageId));
  }
}

/**
 * The guard socket: one connected UDP socket, and the only thing the CoAP library sees of the network.
 *
 * Outwards it takes over repetition, so that one exchange owns its timing. Inwards it lets through nothing
 * but the answer to an open exchange, from the peer it was sent to, once, rewritten as the piggybacked
 * acknowledgement the library handles without leaking. Everything else is acknowledged, reset or dropped
 * here, as RFC 7252 section 4 says. Connected, because only then does "port unreachable" reach a program.
 * Bounds: 64 open exchanges (callers wait for theirs), 64 remembered message IDs.
 */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { Result } from '../../core/failures/failure.ts';
import { BoundedSet } from '../../core/model/bounded-set.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { networkRefusal } from '../network-failure.ts';
import { connected, name, type Peer } from '../socket-address.ts';
import { type Answer, asPiggybacked, emptyMessage, judge } from './datagram.ts';
import { Exchange, type ExchangeSettings } from './exchange.ts';

/** Message IDs remembered of each kind: confirmed ones, to confirm again when that was lost, and unconfirmed ones. */
const REMEMBERED_MAX = 64;

/** Where sockets come from: the host, or a virtual network in a simulation. */
export type OpenSocket = (type: 'udp4' | 'udp6') => Socket;

export class GuardSocket implements AsyncDisposable {
  /** What the library gets instead of a socket. */
  readonly forLibrary: Socket;
  readonly peer: Peer;
  readonly #library = new EventEmitter();
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #byToken = new Map<string, Exchange>();
  readonly #byMessageId = new Map<number, Exchange>();
  readonly #confirmed = new BoundedSet<number>(REMEMBERED_MAX);
  /** Message IDs of answers whose caller is still making them durable: the server may repeat, we stay silent. */
  readonly #unconfirmed = new BoundedSet<number>(REMEMBERED_MAX);
  #closed = false;

  /** Opens a socket of its own to `peer`, on a port that stays the same as long as the socket lives. */
  static async open(
    peer: Peer,
    clock: Clock,
    openSocket: OpenSocket = createSocket,
  ): Promise<Result<GuardSocket>> {
    const socket = openSocket(peer.family === 6 ? 'udp6' : 'udp4');
    try {
      await connected(socket, peer);
    } catch (error) {
      socket.close();
      return { ok: false, refusal: networkRefusal(error, name(peer)) };
    }
    return { ok: true, value: new GuardSocket(socket, peer, clock) };
  }

  private constructor(socket: Socket, peer: Peer, clock: Clock) {
    this.#socket = socket;
    this.peer = peer;
    this.#clock = clock;
    this.forLibrary = this.#disguise();
    socket.on('message', (bytes, from) => this.#received(bytes, from));
    socket.on('error', (error) => this.#failed(error));
  }

  get idle(): boolean {
    return this.#byToken.size === 0;
  }

  /** Announces a request the library is about to send, known by its token. */
  expect(settings: ExchangeSettings): Exchange {
    const exchange = new Exchange(settings, this.#clock, name(this.peer));
    this.#byToken.set(settings.token, exchange);
    void exchange.outcome.then(() => this.#forget(exchange));
    return exchange;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const exchange of this.#byToken.values()) {
      exchange.refuse({ reason: 'aborted', detail: 'the socket was closed' });
    }
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #forget(exchange: Exchange): void {
    this.#byToken.delete(exchange.settings.token);
    if (exchange.messageId !== undefined) this.#byMessageId.delete(exchange.messageId);
  }

  /** The handful of members the library uses of a dgram socket. */
  #disguise(): Socket {
    const { address, family, port } = this.peer;
    const library = this.#library;
    const disguise = {
      type: family === 6 ? 'udp6' : 'udp4',
      on: (event: string, listener: (...given: unknown[]) => void) => library.on(event, listener),
      address: () => ({ address, family: `IPv${family}`, port }),
      send: (bytes: Buffer, ...rest: unknown[]) => {
        this.#fromLibrary(bytes);
        const done = rest.at(-1);
        // Never an error: the exchange tells what the network did, once.
        if (typeof done === 'function') done(null, bytes.length);
      },
      close: (done?: () => void) => done?.(),
    };
    return disguise as unknown as Socket;
  }

  #fromLibrary(bytes: Buffer): void {
    const tokenLength = bytes.readUInt8(0) & 0x0f;
    const exchange = this.#byToken.get(bytes.toString('hex', 4, 4 + tokenLength));
    // The library's own acknowledgements and resets have no token: we have answered for it already.
    if (tokenLength === 0 || !exchange || exchange.messageId !== undefined) return;
    const messageId = bytes.readUInt16BE(2);
    this.#byMessageId.set(messageId, exchange);
    exchange.start(messageId, () => this.#send(bytes, exchange));
  }

  #send(bytes: Buffer, exchange?: Exchange): void {
    if (this.#closed) return;
    this.#socket.send(bytes, (error) => {
      if (error && exchange) exchange.failed(networkRefusal(error, name(this.peer)));
    });
  }

  #failed(error: Error): void {
    const refusal = networkRefusal(error, name(this.peer));
    for (const exchange of this.#byToken.values()) exchange.failed(refusal);
  }

  #received(bytes: Buffer, from: RemoteInfo): void {
    if (from.port !== this.peer.port) return; // the kernel filters the address of a connected socket; trust, and check
    const datagram = judge(bytes);
    if (!datagram) return;
    switch (datagram.type) {
      case 'acknowledgement':
        return this.#byMessageId.get(datagram.messageId)?.acknowledged();
      case 'reset':
        return this.#byMessageId
          .get(datagram.messageId)
          ?.refuse({ reason: 'reset', detail: `${name(this.peer)} answered with a reset` });
      case 'ping':
        return this.#send(emptyMessage('reset', datagram.messageId));
      case 'answer':
        return this.#answered(datagram, from);
    }
  }

  #answered(answer: Answer, from: RemoteInfo): void {
    const exchange = this.#byToken.get(answer.token);
    const requestId = exchange?.messageId;
    if (!exchange || requestId === undefined || exchange.isOver) {
      if (answer.kind === 'confirmable') this.#answerToNobody(answer.messageId);
      return;
    }
    if (answer.kind === 'acknowledgement' && answer.messageId !== requestId) return;
    const confirm = () => {
      if (answer.kind === 'confirmable') this.#confirm(answer.messageId);
    };
    if (!exchange.settings.confirmLater) confirm();
    else if (answer.kind === 'confirmable') this.#unconfirmed.add(answer.messageId);
    this.#library.emit('message', asPiggybacked(answer, requestId), from);
    exchange.answered(answer, confirm);
  }

  /**
   * A confirmable answer that no exchange waits for: ours once, so confirm it again; else the server should
   * forget it.
   */
  #answerToNobody(messageId: number): void {
    if (this.#unconfirmed.has(messageId)) return;
    if (this.#confirmed.has(messageId)) this.#send(emptyMessage('ack', messageId));
    else this.#send(emptyMessage('reset', messageId));
  }

  #confirm(messageId: number): void {
    this.#send(emptyMessage('ack', messageId));
    this.#unconfirmed.delete(messageId);
    this.#confirmed.add(messageId);
  }
}

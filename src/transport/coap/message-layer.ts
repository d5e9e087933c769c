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
import { networkFailure } from '../network-failure.ts';
import { connectSocket, formatAddress, type SocketAddress } from '../socket-address.ts';
import { emptyMessage, parseDatagram, type ResponseMessage, toPiggybacked } from './datagram.ts';
import { Exchange, type ExchangeSettings } from './exchange.ts';

/** Message IDs remembered of each kind: confirmed ones, to confirm again when that was lost, and unconfirmed ones. */
const MESSAGE_IDS_MAX = 64;

/** Where sockets come from: the host, or a virtual network in a simulation. */
export type OpenSocket = (type: 'udp4' | 'udp6') => Socket;

export class MessageLayer implements AsyncDisposable {
  /** What the library gets instead of a socket. */
  readonly librarySocket: Socket;
  readonly peer: SocketAddress;
  readonly #library = new EventEmitter();
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #byToken = new Map<string, Exchange>();
  readonly #byMessageId = new Map<number, Exchange>();
  readonly #acknowledgedIds = new BoundedSet<number>(MESSAGE_IDS_MAX);
  /** Message IDs of answers whose caller is still making them durable: the server may repeat, we stay silent. */
  readonly #unacknowledgedIds = new BoundedSet<number>(MESSAGE_IDS_MAX);
  #closed = false;

  /** Opens a socket of its own to `peer`, on a port that stays the same as long as the socket lives. */
  static async open(
    peer: SocketAddress,
    clock: Clock,
    openSocket: OpenSocket = createSocket,
  ): Promise<Result<MessageLayer>> {
    const socket = openSocket(peer.family === 6 ? 'udp6' : 'udp4');
    try {
      await connectSocket(socket, peer);
    } catch (error) {
      socket.close();
      return { ok: false, failure: networkFailure(error, formatAddress(peer)) };
    }
    return { ok: true, value: new MessageLayer(socket, peer, clock) };
  }

  private constructor(socket: Socket, peer: SocketAddress, clock: Clock) {
    this.#socket = socket;
    this.peer = peer;
    this.#clock = clock;
    this.librarySocket = this.#createLibrarySocket();
    socket.on('message', (bytes, from) => this.#handleDatagram(bytes, from));
    socket.on('error', (error) => this.#handleSocketError(error));
  }

  get isIdle(): boolean {
    return this.#byToken.size === 0;
  }

  /** Announces a request the library is about to send, known by its token. */
  openExchange(settings: ExchangeSettings): Exchange {
    const exchange = new Exchange(settings, this.#clock, formatAddress(this.peer));
    this.#byToken.set(settings.token, exchange);
    void exchange.outcome.then(() => this.#removeExchange(exchange));
    return exchange;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const exchange of this.#byToken.values()) {
      exchange.fail({ reason: 'aborted', detail: 'the socket was closed' });
    }
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #removeExchange(exchange: Exchange): void {
    this.#byToken.delete(exchange.settings.token);
    if (exchange.messageId !== undefined) this.#byMessageId.delete(exchange.messageId);
  }

  /** The handful of members the library uses of a dgram socket. */
  #createLibrarySocket(): Socket {
    const { address, family, port } = this.peer;
    const library = this.#library;
    const socket = {
      type: family === 6 ? 'udp6' : 'udp4',
      on: (event: string, listener: (...args: unknown[]) => void) => library.on(event, listener),
      address: () => ({ address, family: `IPv${family}`, port }),
      send: (bytes: Buffer, ...rest: unknown[]) => {
        this.#sendFromLibrary(bytes);
        const callback = rest.at(-1);
        // Never an error: the exchange tells what the network did, once.
        if (typeof callback === 'function') callback(null, bytes.length);
      },
      close: (callback?: () => void) => callback?.(),
    };
    return socket as unknown as Socket;
  }

  #sendFromLibrary(bytes: Buffer): void {
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
      if (error && exchange) exchange.onNetworkError(networkFailure(error, formatAddress(this.peer)));
    });
  }

  #handleSocketError(error: Error): void {
    const failure = networkFailure(error, formatAddress(this.peer));
    for (const exchange of this.#byToken.values()) exchange.onNetworkError(failure);
  }

  #handleDatagram(bytes: Buffer, from: RemoteInfo): void {
    if (from.port !== this.peer.port) return; // the kernel filters the address of a connected socket; trust, and check
    const datagram = parseDatagram(bytes);
    if (!datagram) return;
    switch (datagram.type) {
      case 'acknowledgement':
        return this.#byMessageId.get(datagram.messageId)?.onAcknowledged();
      case 'reset':
        return this.#byMessageId
          .get(datagram.messageId)
          ?.fail({ reason: 'connection-reset', detail: `${formatAddress(this.peer)} answered with a reset` });
      case 'ping':
        return this.#send(emptyMessage('reset', datagram.messageId));
      case 'response':
        return this.#handleResponse(datagram, from);
    }
  }

  #handleResponse(response: ResponseMessage, from: RemoteInfo): void {
    const exchange = this.#byToken.get(response.token);
    const requestId = exchange?.messageId;
    if (!exchange || requestId === undefined || exchange.isFinished) {
      if (response.kind === 'confirmable') this.#handleUnmatchedResponse(response.messageId);
      return;
    }
    if (response.kind === 'acknowledgement' && response.messageId !== requestId) return;
    const acknowledge = () => {
      if (response.kind === 'confirmable') this.#acknowledge(response.messageId);
    };
    if (!exchange.settings.deferAcknowledgement) acknowledge();
    else if (response.kind === 'confirmable') this.#unacknowledgedIds.add(response.messageId);
    this.#library.emit('message', toPiggybacked(response, requestId), from);
    exchange.onResponse(response, acknowledge);
  }

  /**
   * A confirmable answer that no exchange waits for: ours once, so confirm it again; else the server should
   * forget it.
   */
  #handleUnmatchedResponse(messageId: number): void {
    if (this.#unacknowledgedIds.has(messageId)) return;
    if (this.#acknowledgedIds.has(messageId)) this.#send(emptyMessage('ack', messageId));
    else this.#send(emptyMessage('reset', messageId));
  }

  #acknowledge(messageId: number): void {
    this.#send(emptyMessage('ack', messageId));
    this.#unacknowledgedIds.delete(messageId);
    this.#acknowledgedIds.add(messageId);
  }
}

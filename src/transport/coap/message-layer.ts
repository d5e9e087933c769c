/**
 * The CoAP message layer (RFC 7252 section 4) on one connected UDP socket, which the CoAP library sees as its
 * socket. Outgoing, confirmable-exchange.ts replaces the library's retransmission, and this layer numbers all
 * messages. Incoming, the library gets only the response to its open exchange, once, rewritten as a piggybacked
 * acknowledgement. Responses to `sendRequest` and messages of an observed token go past it. Everything else is
 * acknowledged, reset or dropped here. The socket is connected because the kernel reports "port unreachable"
 * only then.
 */

import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { Failure, Result } from '../../core/failures/failure.ts';
import { BoundedSet } from '../../core/model/bounded-set.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { connectSocket, type DatagramSocket, type OpenSocket } from '../datagram-socket.ts';
import { networkFailure } from '../network-failure.ts';
import { formatAddress, type SocketAddress } from '../resolve.ts';
import { Exchange, type ExchangeSettings } from './confirmable-exchange.ts';
import { emptyMessage, parseDatagram, type ResponseMessage, toPiggybacked } from './datagram.ts';
import { encodeRequest, type RequestMessage } from './request-message.ts';

/** Remembered message IDs of acknowledged responses, and as many of responses not acknowledged yet. */
const MESSAGE_IDS_MAX = 64;

const SOCKET_CLOSED: Failure = { reason: 'aborted', detail: 'the socket was closed' };

const READY: Result<void> = { ok: true, value: undefined };
/** With the port enough against a guess from outside (RFC 7252 section 5.3.1: at least 32 bits); each byte is sent twice. */
const TOKEN_BYTES = 4;
const LINK_LOST: Failure = {
  reason: 'connection-reset',
  detail: 'the DTLS link ended before the response to a request that must not be repeated on another one',
};

/** Gets all responses with one token, instead of the exchange that has it. */
export interface TokenObserver {
  /** An acknowledgement belongs to the open exchange. `acknowledge` does nothing unless the message is confirmable. */
  onMessage(message: ResponseMessage, acknowledge: () => void): void;
  /** The server no longer knows this peer, because it is on a new link. */
  onLinkLost(): void;
  /** The socket is closed. */
  onClosed(): void;
}

export class MessageLayer implements AsyncDisposable {
  /** The object that the library uses as its socket. */
  readonly librarySocket: Socket;
  readonly peer: SocketAddress;
  readonly #library = new EventEmitter();
  readonly #socket: DatagramSocket;
  readonly #clock: Clock;
  readonly #byToken = new Map<string, Exchange>();
  readonly #byMessageId = new Map<number, Exchange>();
  readonly #observers = new Map<string, TokenObserver>();
  /** The message IDs by which the library knows its requests. */
  readonly #libraryIds = new WeakMap<Exchange, number>();
  /** Of all requests on this socket, because the server detects duplicates by it (contract section 2). */
  #lastMessageId = randomInt(0x10000);
  #lastToken = randomInt(0x10000);
  /** Acknowledged again if the server repeats the response. */
  readonly #acknowledgedIds = new BoundedSet<number>(MESSAGE_IDS_MAX);
  /** Responses that the caller is still persisting; repetitions get no answer until then. */
  readonly #unacknowledgedIds = new BoundedSet<number>(MESSAGE_IDS_MAX);
  #closed = false;

  /** Opens a socket to `peer`; its source port stays the same for its lifetime, or over DTLS for that of a link. */
  static async open(
    peer: SocketAddress,
    clock: Clock,
    openSocket: OpenSocket = createSocket,
    signal?: AbortSignal,
  ): Promise<Result<MessageLayer>> {
    const socket = openSocket(peer.family === 6 ? 'udp6' : 'udp4');
    try {
      await connectSocket(socket, peer, signal);
    } catch (error) {
      socket.close();
      return { ok: false, failure: networkFailure(error, formatAddress(peer)) };
    }
    return { ok: true, value: new MessageLayer(socket, peer, clock) };
  }

  private constructor(socket: DatagramSocket, peer: SocketAddress, clock: Clock) {
    this.#socket = socket;
    this.peer = peer;
    this.#clock = clock;
    this.librarySocket = this.#createLibrarySocket();
    socket.on('message', (bytes, from) => this.#handleDatagram(bytes, from));
    socket.on('error', (error) => this.#handleSocketError(error));
    socket.link?.onLost(() => this.#handleLostLink());
  }

  /** No exchange is open, except those of the downlink. */
  get isIdle(): boolean {
    for (const { settings } of this.#byToken.values()) if (!settings.isBackground) return false;
    return true;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Over DTLS: `prepare` must be called before a request. */
  get needsPreparation(): boolean {
    return this.#socket.link !== undefined;
  }

  /** Over DTLS: ends with a link that can be used now, or the failure of its handshake. */
  async prepare(signal: AbortSignal): Promise<Result<void>> {
    return (await this.#socket.link?.prepare(signal)) ?? READY;
  }

  /** Whether the server would replay its response to a request that is repeated on this socket. */
  get isConfirmed(): boolean {
    return this.#socket.link?.isConfirmed ?? true;
  }

  /**
   * For a request. Over DTLS no stranger can guess it, and a shorter one that no request of the last minutes had is enough.
   */
  newToken(): Buffer {
    if (!this.#socket.link) return randomBytes(TOKEN_BYTES);
    this.#lastToken = (this.#lastToken + 1) & 0xffff;
    return Buffer.from([this.#lastToken >> 8, this.#lastToken & 0xff]);
  }

  /** Must be called before the library sends the request with this token. */
  openExchange(settings: ExchangeSettings): Exchange {
    const exchange = new Exchange(settings, this.#clock, formatAddress(this.peer));
    this.#byToken.set(settings.token, exchange);
    void exchange.outcome.then(() => this.#removeExchange(exchange));
    return exchange;
  }

  /** Sends a request that the library does not see; its response is the outcome. */
  sendRequest(request: RequestMessage, settings: Omit<ExchangeSettings, 'token'>): Exchange {
    const exchange = this.openExchange({ ...settings, token: request.token });
    if (this.#closed) exchange.fail(SOCKET_CLOSED);
    else this.#start(exchange, encodeRequest(request, this.#nextMessageId()));
    return exchange;
  }

  /** Sends a request once and expects no response. */
  sendOnce(request: RequestMessage): void {
    this.#send(encodeRequest(request, this.#nextMessageId()));
  }

  observe(token: string, observer: TokenObserver): void {
    this.#observers.set(token, observer);
  }

  /** Later confirmable messages with the token are reset, which ends the observation on the server. */
  unobserve(token: string): void {
    this.#observers.delete(token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const exchange of this.#byToken.values()) exchange.fail(SOCKET_CLOSED);
    for (const observer of this.#observers.values()) observer.onClosed();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #removeExchange(exchange: Exchange): void {
    const { token } = exchange.settings;
    if (this.#byToken.get(token) === exchange) this.#byToken.delete(token);
    if (exchange.messageId !== undefined) this.#byMessageId.delete(exchange.messageId);
  }

  /** Only the members of a dgram socket that the library uses. */
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
        // Never an error: the exchange reports network errors.
        if (typeof callback === 'function') callback(null, bytes.length);
      },
      close: (callback?: () => void) => callback?.(),
    };
    return socket as unknown as Socket;
  }

  #sendFromLibrary(bytes: Buffer): void {
    const tokenLength = bytes.readUInt8(0) & 0x0f;
    const exchange = this.#byToken.get(bytes.toString('hex', 4, 4 + tokenLength));
    // Drop the library's own acknowledgements and resets (no token) and retransmissions: this layer sends
    // them.
    if (tokenLength === 0 || !exchange || exchange.messageId !== undefined) return;
    this.#libraryIds.set(exchange, bytes.readUInt16BE(2));
    const datagram = Buffer.from(bytes);
    datagram.writeUInt16BE(this.#nextMessageId(), 2);
    this.#start(exchange, datagram);
  }

  #start(exchange: Exchange, datagram: Buffer): void {
    const messageId = datagram.readUInt16BE(2);
    this.#byMessageId.set(messageId, exchange);
    let isRepetition = false;
    exchange.start(messageId, () => {
      this.#send(datagram, exchange);
      // Over DTLS a server that is only slow answers a ping, which shows that the link is not dead.
      if (isRepetition && exchange.settings.isNonConfirmable && this.#socket.link)
        this.#send(emptyMessage('ping', this.#nextMessageId()));
      isRepetition = true;
    });
  }

  #nextMessageId(): number {
    this.#lastMessageId = (this.#lastMessageId + 1) & 0xffff;
    return this.#lastMessageId;
  }

  #send(bytes: Buffer, exchange?: Exchange): void {
    if (this.#closed) return;
    if (exchange?.settings.isIdempotent) this.#socket.link?.beforeRequest(bytes);
    this.#socket.send(bytes, (error) => {
      if (error && exchange) exchange.onNetworkError(networkFailure(error, formatAddress(this.peer)));
    });
  }

  #handleSocketError(error: Error): void {
    const failure = networkFailure(error, formatAddress(this.peer));
    for (const exchange of this.#byToken.values()) exchange.onNetworkError(failure);
  }

  #handleLostLink(): void {
    // Copies: a failed exchange and a cancelled observation remove themselves.
    for (const exchange of [...this.#byToken.values()])
      if (!exchange.settings.isIdempotent) exchange.fail(LINK_LOST);
    for (const observer of [...this.#observers.values()]) observer.onLinkLost();
  }

  #handleDatagram(bytes: Buffer, from: RemoteInfo): void {
    if (from.port !== this.peer.port) return; // the kernel filters by peer too; this is a second check
    const datagram = parseDatagram(bytes);
    if (!datagram) return;
    switch (datagram.type) {
      case 'acknowledgement':
        return this.#byMessageId.get(datagram.messageId)?.onAcknowledged();
      case 'reset':
        return this.#byMessageId
          .get(datagram.messageId)
          ?.fail({ reason: 'connection-reset', detail: `${formatAddress(this.peer)} sent a CoAP reset` });
      case 'ping':
        return this.#send(emptyMessage('reset', datagram.messageId));
      case 'response':
        return this.#handleResponse(datagram, from);
    }
  }

  #handleResponse(response: ResponseMessage, from: RemoteInfo): void {
    const exchange = this.#byToken.get(response.token);
    const requestId = exchange?.isFinished === false ? exchange.messageId : undefined;
    if (response.kind === 'acknowledgement' && response.messageId !== requestId) return;
    const observer = this.#observers.get(response.token);
    if (observer)
      return observer.onMessage(response, () => {
        if (response.kind === 'confirmable') this.#send(emptyMessage('ack', response.messageId));
      });
    if (!exchange || requestId === undefined) {
      if (response.kind === 'confirmable') this.#handleUnmatchedResponse(response.messageId);
      return;
    }
    const acknowledge = () => {
      if (response.kind === 'confirmable') this.#acknowledge(response.messageId);
    };
    if (!exchange.settings.deferAcknowledgement) acknowledge();
    else if (response.kind === 'confirmable') this.#unacknowledgedIds.add(response.messageId);
    const libraryId = this.#libraryIds.get(exchange);
    if (libraryId !== undefined) this.#library.emit('message', toPiggybacked(response, libraryId), from);
    exchange.onResponse(response, acknowledge);
  }

  /**
   * A confirmable response without an open exchange: acknowledges it again if it is known, else resets it.
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

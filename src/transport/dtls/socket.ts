/**
 * A socket of the CoAP message layer whose datagrams go through a helper, encrypted. It shakes hands when it is connected,
 * and again, each time from a new port:
 *
 * - before a request if the link has ended or was idle for a minute, because a NAT may have forgotten the port;
 * - when a request is repeated and the server has said nothing since: a server that was restarted is silent, and after
 *   a short handshake only the client knows for sure that the link is up;
 * - when a datagram is to be sent without a link.
 *
 * Nothing leaves without a link, and no link is used before the pinned keys have been compared.
 */

import type { RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { raceAbort } from '../../core/async/abort.ts';
import { DTLS_MESSAGE_BYTES_MAX } from '../../core/delivery/encode.ts';
import { aborted, type Failure, type Result } from '../../core/failures/failure.ts';
import type { DatagramSocket, SecureLink } from '../datagram-socket.ts';
import { FailureError } from '../network-failure.ts';
import { formatAddress, type SocketAddress } from '../resolve.ts';
import { linkFailure } from './dtls-failure.ts';
import type { HelperEvent } from './frames.ts';
import { Handshake, type HelperPool, type NewLink } from './handshake.ts';
import type { DtlsHelper, LinkOwner } from './helper.ts';
import type { HelperEnd } from './helper-process.ts';

/** Many NATs forget a port soon after a minute without a datagram, sooner than RFC 4787 section 4.3 asks for, ms. */
export const IDLE_MS_MAX = 60_000;
/** A request on a link that has carried an answer is repeated once before the link counts as dead. */
const SENDINGS_MAX = 2;
/** Datagrams that wait for a link. */
const QUEUE_MAX = 16;

type LinkState =
  | { readonly is: 'down' }
  | { readonly is: 'shaking-hands'; readonly result: Promise<Result<void>> }
  | { readonly is: 'up'; readonly helper: DtlsHelper };

/** When a request was first sent over the present link, and how often. */
interface Sendings {
  readonly firstMs: number;
  count: number;
}

export class DtlsSocket extends EventEmitter implements DatagramSocket, SecureLink, LinkOwner {
  readonly #pool: HelperPool;
  readonly #closed = new AbortController();
  readonly #handshake: Handshake;
  #peer: SocketAddress = { address: '', family: 4, port: 0 };
  #state: LinkState = { is: 'down' };
  /** Whether the server has shown that it has the keys of the present link. */
  #isConfirmed = false;
  /** The last datagram in each direction; the end of the handshake counts as received. */
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #lastReceivedMs = Number.NEGATIVE_INFINITY;
  #sendings = new WeakMap<Buffer, Sendings>();
  #serverCertificate: Buffer | undefined;
  /** Waiting for the link, each once. */
  readonly #queue = new Set<Buffer>();

  constructor(pool: HelperPool) {
    super();
    this.#pool = pool;
    this.#handshake = new Handshake(pool, this);
  }

  get link(): SecureLink {
    return this;
  }

  get isConfirmed(): boolean {
    return this.#state.is === 'up' && this.#isConfirmed;
  }

  onLost(listener: () => void): void {
    this.on('lost', listener);
  }

  /** In DER, of the last handshake that succeeded. */
  get serverCertificate(): Buffer | undefined {
    return this.#serverCertificate;
  }

  connect(port: number, address: string, callback: (error?: Error) => void): void {
    this.#peer = { address, family: address.includes(':') ? 6 : 4, port };
    void this.#shakeHands().then((result) =>
      callback(result.ok ? undefined : new FailureError(result.failure)),
    );
  }

  send(bytes: Buffer, callback: (error: Error | null) => void): void {
    if (bytes.length > DTLS_MESSAGE_BYTES_MAX) {
      const detail = `a message of ${bytes.length} bytes exceeds ${DTLS_MESSAGE_BYTES_MAX}, the limit of ThingsBoard over DTLS`;
      return callback(new FailureError({ reason: 'request-build-failed', detail }));
    }
    callback(null);
    if (this.#state.is === 'up') return this.#sendNow(this.#state.helper, bytes);
    if (this.#queue.size < QUEUE_MAX) this.#queue.add(bytes);
    if (this.#state.is === 'down') this.#shakeHandsForQueue();
  }

  close(callback?: () => void): void {
    this.#closed.abort();
    if (this.#state.is === 'up') this.#pool.release(this.#state.helper, this);
    this.#state = { is: 'down' };
    this.#queue.clear();
    if (callback) setImmediate(callback);
  }

  onHelperEvent(event: HelperEvent): void {
    switch (event.type) {
      case 'up':
      case 'failed':
        return this.#handshake.onEnd(event);
      case 'datagram':
        if (this.#state.is !== 'up') return;
        this.#isConfirmed = true;
        this.#lastReceivedMs = this.#nowMs();
        this.emit('message', event.bytes, this.#remoteInfo(event.bytes.length));
        return;
      case 'down':
        return this.#onDown(linkFailure(event.code, formatAddress(this.#peer)));
    }
  }

  onHelperLost(end: HelperEnd | undefined): void {
    if (this.#state.is === 'shaking-hands') this.#handshake.onEnd({ type: 'helper-lost', end });
    else this.#onDown(undefined);
  }

  #onDown(failure: Failure | undefined): void {
    if (this.#state.is !== 'up') return;
    this.#leave(this.#state.helper);
    if (failure) this.#emitError(failure);
  }

  /** Without a listener, the event would end the process. */
  #emitError(failure: Failure): void {
    if (this.listenerCount('error') > 0) this.emit('error', new FailureError(failure));
  }

  /** The link in use ends; its session is kept. The next datagram needs a new one. */
  #leave(helper: DtlsHelper): void {
    this.#state = { is: 'down' };
    this.#pool.release(helper, this);
    this.emit('lost');
  }

  async prepare(signal: AbortSignal): Promise<Result<void>> {
    if (this.#state.is === 'up') {
      const idleMs = this.#nowMs() - Math.max(this.#lastSentMs, this.#lastReceivedMs);
      if (idleMs < IDLE_MS_MAX) return { ok: true, value: undefined };
      this.#leave(this.#state.helper);
    }
    return raceAbort<Result<void>>(this.#shakeHands(), aborted(), signal);
  }

  beforeRequest(datagram: Buffer): void {
    const sendings = this.#sendings.get(datagram);
    if (this.#state.is !== 'up') return;
    const nowMs = this.#nowMs();
    if (!sendings) {
      this.#sendings.set(datagram, { firstMs: nowMs, count: 1 });
      return;
    }
    sendings.count += 1;
    const isAnswering = this.#lastReceivedMs > sendings.firstMs;
    if (!isAnswering && (!this.#isConfirmed || sendings.count > SENDINGS_MAX))
      this.#leave(this.#state.helper);
  }

  #shakeHandsForQueue(): void {
    void this.#shakeHands().then((result) => {
      if (result.ok || this.#closed.signal.aborted) return;
      this.#queue.clear();
      this.#emitError(result.failure);
    });
  }

  /** One handshake at a time; ends at once if the link is up. */
  #shakeHands(): Promise<Result<void>> {
    if (this.#closed.signal.aborted) return Promise.resolve(aborted());
    if (this.#state.is === 'up') return Promise.resolve({ ok: true, value: undefined });
    if (this.#state.is === 'shaking-hands') return this.#state.result;
    const result = this.#handshake.run(this.#peer, this.#closed.signal).then((ended): Result<void> => {
      if (this.#closed.signal.aborted) {
        if (ended.ok) this.#pool.release(ended.value.helper, this);
        return aborted();
      }
      if (!ended.ok) {
        this.#state = { is: 'down' };
        return ended;
      }
      return this.#enter(ended.value);
    });
    this.#state = { is: 'shaking-hands', result };
    return result;
  }

  #enter({ helper, leaf, isResumed }: NewLink): Result<void> {
    if (helper.state !== 'up') {
      this.#state = { is: 'down' };
      const detail = `${formatAddress(this.#peer)} ended the link right after the handshake`;
      return { ok: false, failure: { reason: 'connection-reset', detail } };
    }
    this.#state = { is: 'up', helper };
    this.#serverCertificate = leaf;
    // A full handshake ends with a flight of the server, a short one with a flight of the client.
    this.#isConfirmed = !isResumed;
    this.#sendings = new WeakMap();
    this.#lastReceivedMs = this.#nowMs();
    const queued = [...this.#queue];
    this.#queue.clear();
    for (const datagram of queued) {
      this.#sendings.set(datagram, { firstMs: this.#nowMs(), count: 1 });
      this.#sendNow(helper, datagram);
    }
    return { ok: true, value: undefined };
  }

  #sendNow(helper: DtlsHelper, bytes: Buffer): void {
    this.#lastSentMs = this.#nowMs();
    helper.send(bytes);
  }

  #remoteInfo(size: number): RemoteInfo {
    const { address, family, port } = this.#peer;
    return { address, family: `IPv${family}`, port, size };
  }

  #nowMs(): number {
    return this.#pool.clock.monotonicMs();
  }
}

/**
 * The line: the current socket to the server, made when first needed and re-made when it may be stale.
 *
 * One socket at a time, so one stable source port. Re-made, with the name resolved anew, when the addresses
 * of this host changed (a DHCP lease, a replugged cable) or when the last exchange found the road broken;
 * then the next address of the name has its turn. Never re-made under an exchange that is still open. What
 * was learnt of the round trip outlives the socket, but not the peer's address nor ours: another road.
 */

import { networkInterfaces } from 'node:os';
import { raceAbort } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure, type FailureReason } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { createResolver, type Resolve } from '../resolve.ts';
import { formatAddress, type SocketAddress } from '../socket-address.ts';
import { CoapClient } from './client.ts';
import { MessageLayer, type OpenSocket } from './message-layer.ts';
import { RtoEstimator } from './rto-estimator.ts';

/** Refusals after which another socket or another address might do better. */
const CONNECTION_BROKEN: ReadonlySet<FailureReason> = new Set([
  'server-timeout',
  'port-closed',
  'no-route',
  'no-response-after-ack',
]);

/** How often the addresses of this host are compared, ms. */
const ADDRESS_CHECK_MS = 1_000;

export interface CoapConnectionPorts {
  readonly clock: Clock;
  /** Given by tests only; the host's resolver otherwise. */
  readonly resolve?: Resolve;
  /** Given by simulations only; the host's network otherwise. */
  readonly openSocket?: OpenSocket;
  /** Given by simulations only, whose outcome must not hang on this host; its addresses as one text otherwise. */
  readonly ownAddresses?: () => string;
  /** Hears how long the server took to say its first word, ms, of each request that was sent once. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

export class CoapConnection implements AsyncDisposable {
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #resolve: Resolve;
  readonly #openSocket: OpenSocket | undefined;
  readonly #readOwnAddresses: () => string;
  readonly #onRoundTrip: CoapConnectionPorts['onRoundTrip'];
  readonly #closed = new AbortController();
  #client: CoapClient | undefined;
  #opening: Promise<Result<CoapClient>> | undefined;
  #ownAddresses = '';
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #isStale = false;
  /** Turns of the address list: which of several addresses is tried first. */
  #addressIndex = 0;
  #addressCount = 1;
  #rtoEstimator: RtoEstimator;
  /** The peer `#roundTrip` was learnt from. */
  #estimatedPeer = '';

  constructor(host: string, port: number, ports: CoapConnectionPorts) {
    this.#host = host;
    this.#port = port;
    this.#clock = ports.clock;
    this.#onRoundTrip = ports.onRoundTrip;
    this.#rtoEstimator = new RtoEstimator(ports.onRoundTrip);
    this.#resolve = ports.resolve ?? createResolver();
    this.#openSocket = ports.openSocket;
    this.#readOwnAddresses = ports.ownAddresses ?? addressesOfThisHost;
  }

  /** How many addresses the name had when it was last resolved. */
  get addressCount(): number {
    return this.#addressCount;
  }

  /** The client to use now. */
  async client(signal: AbortSignal): Promise<Result<CoapClient>> {
    // Opened for all who wait for it, so only the end of the line ends it; each waits as long as it likes.
    this.#opening ??= this.#currentClient(this.#closed.signal).finally(() => {
      this.#opening = undefined;
    });
    return raceAbort<Result<CoapClient>>(this.#opening, aborted(), signal);
  }

  /** Tells the line how a request ended, so that it knows when to re-make itself. */
  reportResult(failure: Failure | undefined): void {
    if (!failure || !CONNECTION_BROKEN.has(failure.reason)) return;
    this.#isStale = true;
    this.#addressIndex += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const client = this.#client;
    this.#client = undefined;
    await client?.messageLayer[Symbol.asyncDispose]();
  }

  async #currentClient(signal: AbortSignal): Promise<Result<CoapClient>> {
    const client = this.#client;
    const nowMs = this.#clock.monotonicMs();
    // Asking the kernel for all addresses costs more than a post; a change is noticed a second later at most.
    if (client && !this.#isStale && nowMs - this.#checkedAtMs < ADDRESS_CHECK_MS)
      return { ok: true, value: client };
    this.#checkedAtMs = nowMs;
    const ownAddresses = this.#readOwnAddresses();
    const hasMoved = ownAddresses !== '' && ownAddresses !== this.#ownAddresses;
    const isCurrent = !this.#isStale && !hasMoved;
    if (client && (isCurrent || !client.messageLayer.isIdle)) return { ok: true, value: client };
    const opened = await this.#reconnect(hasMoved, signal);
    if (signal.aborted) {
      // The line was closed meanwhile: nobody else would close this socket.
      if (opened.ok) await opened.value.messageLayer[Symbol.asyncDispose]();
      return aborted();
    }
    // A socket that worked is better than none: only a broken one is given up before there is another.
    if (!opened.ok && client && !this.#isStale) return { ok: true, value: client };
    await client?.messageLayer[Symbol.asyncDispose]();
    this.#client = opened.ok ? opened.value : undefined;
    if (opened.ok) {
      this.#ownAddresses = ownAddresses;
      this.#isStale = false;
    }
    return opened;
  }

  async #reconnect(hasMoved: boolean, signal: AbortSignal): Promise<Result<CoapClient>> {
    const peers = await this.#resolve(this.#host, this.#port, this.#clock, signal);
    if (!peers.ok) return peers;
    this.#addressCount = peers.value.length;
    const opened = await this.#openFirst(peers.value);
    if (!opened.ok) return opened;
    const peer = formatAddress(opened.value.peer);
    if (hasMoved || peer !== this.#estimatedPeer) this.#rtoEstimator = new RtoEstimator(this.#onRoundTrip);
    this.#estimatedPeer = peer;
    return { ok: true, value: new CoapClient(opened.value, this.#rtoEstimator) };
  }

  /**
   * Connecting a UDP socket asks only the routing table: an address without a route is passed over at no
   * cost.
   */
  async #openFirst(peers: readonly [SocketAddress, ...SocketAddress[]]): Promise<Result<MessageLayer>> {
    const start = this.#addressIndex % peers.length;
    const [first, ...rest] = [...peers.slice(start), ...peers.slice(0, start)];
    let opened = await MessageLayer.open(first ?? peers[0], this.#clock, this.#openSocket);
    for (const peer of rest) {
      if (opened.ok) break;
      opened = await MessageLayer.open(peer, this.#clock, this.#openSocket);
    }
    return opened;
  }
}

/** The system may refuse to say (no descriptor left, no netlink): then nothing is known to have changed. */
function addressesOfThisHost(): string {
  try {
    return Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ address }) => address)
      .sort()
      .join(' ');
  } catch {
    return '';
  }
}

/**
 * Owns the UDP socket to the server: one at a time, so that the source port is stable. Reconnects, with a new
 * lookup, when the addresses of this host have changed (DHCP lease, replugged cable) or after a network
 * failure. Of several addresses, it uses the first that responds. Never reconnects while an exchange is open.
 * Over DTLS the socket shakes hands when it is opened, and has a link before a client is returned.
 */

import { raceAbort } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure, type FailureReason } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { OpenSocket } from '../datagram-socket.ts';
import { createOwnAddresses } from '../own-addresses.ts';
import { raceAddresses } from '../race-addresses.ts';
import { createResolver, formatAddress, type Resolve, type SocketAddress } from '../resolve.ts';
import { CoapClient } from './client.ts';
import { MessageLayer } from './message-layer.ts';
import { RtoEstimator } from './rto-estimator.ts';

/** Failures after which a new socket or another address may work. */
const CONNECTION_BROKEN: ReadonlySet<FailureReason> = new Set([
  'server-timeout',
  'port-closed',
  'no-route',
  'no-response-after-ack',
]);

/** How often the addresses of this host are compared, ms. */
const ADDRESS_CHECK_MS = 1_000;

/** Sends a request that changes nothing; any response shows that the address works. */
export type CheckAddress = (client: CoapClient, signal: AbortSignal) => Promise<Result<unknown>>;

export interface CoapConnectionPorts {
  readonly clock: Clock;
  /** For tests; default: the resolver of the host. */
  readonly resolve?: Resolve;
  /** For DTLS and simulations; default: the network of the host. */
  readonly openSocket?: OpenSocket;
  /** Closes what the sockets share, after the last one. */
  readonly closeSockets?: () => PromiseLike<void>;
  /**
   * The addresses of this host as one text. For simulations, which must not depend on the host; default: its
   * interfaces.
   */
  readonly ownAddresses?: () => string;
  /** Called with the time until the server's first datagram, ms, for each request that was sent once. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

type ClientCheck =
  | { readonly client: CoapClient }
  | { readonly client: undefined; readonly ownAddresses: string; readonly hasMoved: boolean };

export class CoapConnection implements AsyncDisposable {
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #resolve: Resolve;
  readonly #openSocket: OpenSocket | undefined;
  readonly #closeSockets: CoapConnectionPorts['closeSockets'];
  readonly #readOwnAddresses: () => string;
  readonly #onRoundTrip: CoapConnectionPorts['onRoundTrip'];
  readonly #checkAddress: CheckAddress;
  readonly #closed = new AbortController();
  #client: CoapClient | undefined;
  #opening: Promise<Result<CoapClient>> | undefined;
  #ownAddresses = '';
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #isStale = false;
  /** Which of several addresses has the head start, modulo their number. */
  #addressIndex = 0;
  #addressCount = 1;
  /**
   * Survives a new socket, but not a new address of the peer or of this host: that is another network path.
   */
  #rtoEstimator: RtoEstimator;
  /** The peer that `#rtoEstimator` measures. */
  #estimatedPeer = '';

  /** `checkAddress` is called only if the name has several addresses. */
  constructor(host: string, port: number, ports: CoapConnectionPorts, checkAddress: CheckAddress) {
    this.#checkAddress = checkAddress;
    this.#host = host;
    this.#port = port;
    this.#clock = ports.clock;
    this.#onRoundTrip = ports.onRoundTrip;
    this.#rtoEstimator = new RtoEstimator(ports.onRoundTrip);
    this.#resolve = ports.resolve ?? createResolver();
    this.#openSocket = ports.openSocket;
    this.#closeSockets = ports.closeSockets;
    this.#readOwnAddresses = ports.ownAddresses ?? createOwnAddresses();
  }

  /** Number of addresses found by the last lookup. */
  get addressCount(): number {
    return this.#addressCount;
  }

  async client(signal: AbortSignal): Promise<Result<CoapClient>> {
    if (signal.aborted) return aborted();
    if (this.#opening === undefined) {
      const check = this.#check();
      if (check.client?.messageLayer.needsPreparation === false) return { ok: true, value: check.client };
      // All callers share one opening: only disposal aborts it, while each caller can stop waiting.
      this.#opening = this.#preparedClient(check, this.#closed.signal).finally(() => {
        this.#opening = undefined;
      });
    }
    return raceAbort<Result<CoapClient>>(this.#opening, aborted(), signal);
  }

  /** Must be called with the result of each request; some failures cause a reconnect. */
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
    await this.#closeSockets?.();
  }

  async #preparedClient(check: ClientCheck, signal: AbortSignal): Promise<Result<CoapClient>> {
    const current: Result<CoapClient> = check.client
      ? { ok: true, value: check.client }
      : await this.#newClient(check, signal);
    if (!current.ok) return current;
    const prepared = await current.value.messageLayer.prepare(signal);
    return prepared.ok ? current : prepared;
  }

  /** Whether the present client can be used. Otherwise a new one must be opened. */
  #check(): ClientCheck {
    const client = this.#client;
    const nowMs = this.#clock.monotonicMs();
    const isChecked = nowMs - this.#checkedAtMs < ADDRESS_CHECK_MS;
    if (client && !this.#isStale && isChecked) return { client };
    this.#checkedAtMs = nowMs;
    const ownAddresses = this.#readOwnAddresses();
    const hasMoved = ownAddresses !== '' && ownAddresses !== this.#ownAddresses;
    const isCurrent = !this.#isStale && !hasMoved;
    if (client && (isCurrent || !client.messageLayer.isIdle)) return { client };
    return { client: undefined, ownAddresses, hasMoved };
  }

  async #newClient(
    { ownAddresses, hasMoved }: ClientCheck & { client: undefined },
    signal: AbortSignal,
  ): Promise<Result<CoapClient>> {
    const client = this.#client;
    const opened = await this.#reconnect(hasMoved, signal);
    if (signal.aborted) {
      // The connection was disposed in the meantime, so close the new socket here.
      if (opened.ok) await opened.value.messageLayer[Symbol.asyncDispose]();
      return aborted();
    }
    // Keep a working socket if no new one can be opened.
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
    // An estimate of an earlier path does not hold after the host has moved.
    if (hasMoved) this.#estimatedPeer = '';
    const [first, ...rest] = this.#inTurn(peers.value);
    const opened =
      rest.length === 0
        ? await this.#open(first, signal)
        : await this.#openResponding([first, ...rest], signal);
    if (!opened.ok) return opened;
    this.#estimatedPeer = formatAddress(opened.value.messageLayer.peer);
    this.#rtoEstimator = opened.value.rtoEstimator;
    return opened;
  }

  #inTurn(peers: Peers): Peers {
    const start = this.#addressIndex % peers.length;
    const [first = peers[0], ...rest] = [...peers.slice(start), ...peers.slice(0, start)];
    return [first, ...rest];
  }

  async #open(peer: SocketAddress, signal: AbortSignal): Promise<Result<CoapClient>> {
    const opened = await MessageLayer.open(peer, this.#clock, this.#openSocket, signal);
    if (!opened.ok) return opened;
    const isEstimated = formatAddress(peer) === this.#estimatedPeer;
    const rtoEstimator = isEstimated ? this.#rtoEstimator : new RtoEstimator(this.#onRoundTrip);
    return { ok: true, value: new CoapClient(opened.value, rtoEstimator) };
  }

  /**
   * The first address that responds. UDP has no connection, so only a request shows that an address swallows
   * datagrams; a provisioning request there would wait for four minutes, because it must not be sent twice.
   */
  #openResponding(peers: Peers, signal: AbortSignal): Promise<Result<CoapClient>> {
    const attempt = async (peer: SocketAddress, attemptSignal: AbortSignal): Promise<Result<CoapClient>> => {
      const opened = await this.#open(peer, attemptSignal);
      if (!opened.ok) return opened;
      const response = await this.#checkAddress(opened.value, attemptSignal);
      if (response.ok) return opened;
      await opened.value.messageLayer[Symbol.asyncDispose]();
      return response;
    };
    const discard = (client: CoapClient) => void client.messageLayer[Symbol.asyncDispose]();
    return raceAddresses(peers, { attempt, discard }, this.#clock, signal);
  }
}

type Peers = readonly [SocketAddress, ...SocketAddress[]];

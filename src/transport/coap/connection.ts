/**
 * The line: the current socket to the server, made when first needed and re-made when it may be stale.
 *
 * One socket at a time, so one stable source port. Re-made, with the name resolved anew, when the addresses
 * of this host changed (a DHCP lease, a replugged cable) or when the last exchange found the road broken;
 * then the next address of the name has its turn. Never re-made under an exchange that is still open. What
 * was learnt of the round trip outlives the socket, but not the peer's address nor ours: another road.
 */

import { networkInterfaces } from 'node:os';
import { unlessAborted } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Refusal, type RefusalReason } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { createResolver, type Resolve } from '../resolve.ts';
import { name, type Peer } from '../socket-address.ts';
import { CoapClient } from './client.ts';
import { GuardSocket, type OpenSocket } from './message-layer.ts';
import { RoundTrip } from './rto-estimator.ts';

/** Refusals after which another socket or another address might do better. */
const ROAD_BROKEN: ReadonlySet<RefusalReason> = new Set([
  'silent',
  'port-closed',
  'no-route',
  'acknowledged-only',
]);

/** How often the addresses of this host are compared, ms. */
const LOOK_EVERY_MS = 1_000;

export interface LinePorts {
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

export class Line implements AsyncDisposable {
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #resolve: Resolve;
  readonly #openSocket: OpenSocket | undefined;
  readonly #readOwnAddresses: () => string;
  readonly #onRoundTrip: LinePorts['onRoundTrip'];
  readonly #closed = new AbortController();
  #client: CoapClient | undefined;
  #opening: Promise<Result<CoapClient>> | undefined;
  #ownAddresses = '';
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #stale = false;
  /** Turns of the address list: which of several addresses is tried first. */
  #turn = 0;
  #addresses = 1;
  #roundTrip: RoundTrip;
  /** The peer `#roundTrip` was learnt from. */
  #learntFrom = '';

  constructor(host: string, port: number, ports: LinePorts) {
    this.#host = host;
    this.#port = port;
    this.#clock = ports.clock;
    this.#onRoundTrip = ports.onRoundTrip;
    this.#roundTrip = new RoundTrip(ports.onRoundTrip);
    this.#resolve = ports.resolve ?? createResolver();
    this.#openSocket = ports.openSocket;
    this.#readOwnAddresses = ports.ownAddresses ?? addressesOfThisHost;
  }

  /** How many addresses the name had when it was last resolved. */
  get addresses(): number {
    return this.#addresses;
  }

  /** The client to use now. */
  async client(signal: AbortSignal): Promise<Result<CoapClient>> {
    // Opened for all who wait for it, so only the end of the line ends it; each waits as long as it likes.
    this.#opening ??= this.#current(this.#closed.signal).finally(() => {
      this.#opening = undefined;
    });
    return unlessAborted<Result<CoapClient>>(this.#opening, aborted(), signal);
  }

  /** Tells the line how a request ended, so that it knows when to re-make itself. */
  ended(refusal: Refusal | undefined): void {
    if (!refusal || !ROAD_BROKEN.has(refusal.reason)) return;
    this.#stale = true;
    this.#turn += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const client = this.#client;
    this.#client = undefined;
    await client?.guard[Symbol.asyncDispose]();
  }

  async #current(signal: AbortSignal): Promise<Result<CoapClient>> {
    const client = this.#client;
    const nowMs = this.#clock.monotonicMs();
    // Asking the kernel for all addresses costs more than a post; a change is noticed a second later at most.
    if (client && !this.#stale && nowMs - this.#lookedAtMs < LOOK_EVERY_MS)
      return { ok: true, value: client };
    this.#lookedAtMs = nowMs;
    const ownAddresses = this.#readOwnAddresses();
    const moved = ownAddresses !== '' && ownAddresses !== this.#ownAddresses;
    const fresh = !this.#stale && !moved;
    if (client && (fresh || !client.guard.idle)) return { ok: true, value: client };
    const made = await this.#remade(moved, signal);
    if (signal.aborted) {
      // The line was closed meanwhile: nobody else would close this socket.
      if (made.ok) await made.value.guard[Symbol.asyncDispose]();
      return aborted();
    }
    // A socket that worked is better than none: only a broken one is given up before there is another.
    if (!made.ok && client && !this.#stale) return { ok: true, value: client };
    await client?.guard[Symbol.asyncDispose]();
    this.#client = made.ok ? made.value : undefined;
    if (made.ok) {
      this.#ownAddresses = ownAddresses;
      this.#stale = false;
    }
    return made;
  }

  async #remade(moved: boolean, signal: AbortSignal): Promise<Result<CoapClient>> {
    const peers = await this.#resolve(this.#host, this.#port, this.#clock, signal);
    if (!peers.ok) return peers;
    this.#addresses = peers.value.length;
    const opened = await this.#openFirst(peers.value);
    if (!opened.ok) return opened;
    const peer = name(opened.value.peer);
    if (moved || peer !== this.#learntFrom) this.#roundTrip = new RoundTrip(this.#onRoundTrip);
    this.#learntFrom = peer;
    return { ok: true, value: new CoapClient(opened.value, this.#roundTrip) };
  }

  /**
   * Connecting a UDP socket asks only the routing table: an address without a route is passed over at no
   * cost.
   */
  async #openFirst(peers: readonly [Peer, ...Peer[]]): Promise<Result<GuardSocket>> {
    const start = this.#turn % peers.length;
    const [first, ...rest] = [...peers.slice(start), ...peers.slice(0, start)];
    let opened = await GuardSocket.open(first ?? peers[0], this.#clock, this.#openSocket);
    for (const peer of rest) {
      if (opened.ok) break;
      opened = await GuardSocket.open(peer, this.#clock, this.#openSocket);
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

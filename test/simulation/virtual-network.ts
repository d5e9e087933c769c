/**
 * The network between gateway and server: loses, duplicates, delays and reorders datagrams according to the
 * current conditions, with a random generator for each direction.
 *
 * A datagram in transit still arrives after a power cut or a change of conditions. Every socket has a new
 * source port, so that a response to a dead socket reaches nobody.
 */

import type { Socket } from 'node:dgram';
import type { DiskOperation } from '../doubles/power-cut/power-cut-disk.ts';
import { describeDatagram } from './datagram-text.ts';
import { type Conditions, NO_FAULTS, type PathConditions } from './first-boot/plan.ts';
import { GATEWAY } from './first-boot/strategies.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';
import { type Carrier, VirtualSocket } from './virtual-socket.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Sees every datagram when it leaves its sender. */
export interface Observer {
  onGatewaySend(port: number, bytes: Buffer): void;
  onServerSend(port: number, bytes: Buffer): void;
}

export interface NetworkPorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly random: SeededRandom;
  readonly observer: Observer;
}

const GATEWAY_ADDRESS = '198.51.100.20';
const FIRST_PORT = 32_768;
const ICMP_MS = 20;

export class VirtualNetwork {
  conditions: Conditions = NO_FAULTS;
  /** While the process of the server is down, its host replies with port unreachable. */
  isServerDown = false;
  /** Set by the server. */
  toServer: (bytes: Buffer, from: { readonly address: string; readonly port: number }) => void = () => {};
  readonly #ports: NetworkPorts;
  readonly #upRandom: SeededRandom;
  readonly #downRandom: SeededRandom;
  readonly #sockets = new Map<number, VirtualSocket>();
  #nextPort = FIRST_PORT;

  constructor(ports: NetworkPorts) {
    this.#ports = ports;
    this.#upRandom = ports.random.fork();
    this.#downRandom = ports.random.fork();
  }

  /** Opens a socket of the gateway; `act` checks whether its process still runs. */
  openSocket(act: DiskOperation): Socket {
    const socket = new VirtualSocket(this.#nextPort, this.#carrier, act);
    this.#nextPort += 1;
    this.#sockets.set(socket.port, socket);
    return socket.asSocket;
  }

  /** Removes all sockets of the gateway, because its host has lost power. */
  removeSockets(): void {
    this.#sockets.clear();
  }

  sendToGateway(port: number, bytes: Buffer): void {
    this.#ports.observer.onServerSend(port, bytes);
    const path = this.conditions.link === 'open' ? this.conditions.down : undefined;
    this.#transmit('▼', port, bytes, path, this.#downRandom, () =>
      this.#sockets.get(port)?.receive(bytes, { address: GATEWAY.host, port: GATEWAY.port }),
    );
  }

  readonly #carrier: Carrier = {
    send: (port, bytes) => {
      this.#ports.observer.onGatewaySend(port, bytes);
      const { link, up } = this.conditions;
      if (link === 'unreachable') return routeError();
      if (link === 'refused') this.#reject(port);
      this.#transmit('▲', port, bytes, link === 'open' ? up : undefined, this.#upRandom, () => {
        if (this.isServerDown) this.#reject(port);
        else this.toServer(bytes, { address: GATEWAY_ADDRESS, port });
      });
      return undefined;
    },
    routeProblem: () => (this.conditions.link === 'unreachable' ? routeError() : undefined),
    closed: (port) => this.#sockets.delete(port),
  };

  #reject(port: number): void {
    const error = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    this.#ports.time.after(ICMP_MS, () => this.#sockets.get(port)?.fail(error));
  }

  #transmit(
    direction: string,
    port: number,
    bytes: Buffer,
    path: PathConditions | undefined,
    random: SeededRandom,
    arrive: () => void,
  ) {
    const { time, trace } = this.#ports;
    const text = `${direction} ${port} ${describeDatagram(bytes)}`;
    if (path === undefined || random.isTrue(path.lostShare)) return trace.add(`${text} lost`);
    const copies = random.isTrue(path.doubledShare) ? 2 : 1;
    for (let copy = 1; copy <= copies; copy += 1) {
      const isLate = random.isTrue(path.lateShare);
      const delayMs =
        random.between(path.delayMsMin, path.delayMsMax) + (isLate ? random.between(0, path.lateMsMax) : 0);
      trace.add(`${text} takes ${delayMs.toFixed(1)} ms`);
      time.after(delayMs, arrive);
    }
  }
}

function routeError(): NodeJS.ErrnoException {
  return Object.assign(new Error('network is unreachable'), { code: 'ENETUNREACH' });
}

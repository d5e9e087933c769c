/**
 * The road between the gateway and the server: loses, doubles, delays and reorders datagrams as the weather
 * says, each direction with its own dice.
 *
 * What is on its way stays on its way: neither a power cut nor a change of weather takes a datagram back.
 * Every socket has a source port no socket had before, so whoever answers a dead one answers nobody.
 */

import type { Socket } from 'node:dgram';
import type { DiskOperation } from '../doubles/power-cut-disk.ts';
import { describeDatagram } from './datagram-text.ts';
import { type Lane, NO_FAULTS, type Weather } from './first-boot/plan.ts';
import { GATEWAY } from './first-boot/strategies.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';
import { type Carrier, VirtualSocket } from './virtual-socket.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Whoever has to see every datagram as it leaves its sender. */
export interface Observer {
  onGatewaySend(port: number, bytes: Buffer): void;
  onServerSend(port: number, bytes: Buffer): void;
}

export interface NetworkPorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly rng: SeededRandom;
  readonly observer: Observer;
}

const GATEWAY_ADDRESS = '198.51.100.20';
const FIRST_PORT = 32_768;
const ICMP_MS = 20;

export class VirtualNetwork {
  weather: Weather = NO_FAULTS;
  /** True while the server's process is down: its host answers that nobody listens. */
  serverDown = false;
  /** Set by the server. */
  toServer: (bytes: Buffer, from: { readonly address: string; readonly port: number }) => void = () => {};
  readonly #ports: NetworkPorts;
  readonly #upRng: SeededRandom;
  readonly #downRng: SeededRandom;
  readonly #sockets = new Map<number, VirtualSocket>();
  #nextPort = FIRST_PORT;

  constructor(ports: NetworkPorts) {
    this.#ports = ports;
    this.#upRng = ports.rng.fork();
    this.#downRng = ports.rng.fork();
  }

  /** The next socket of the gateway; `act` decides whether its process still lives. */
  openSocket(act: DiskOperation): Socket {
    const socket = new VirtualSocket(this.#nextPort, this.#carrier, act);
    this.#nextPort += 1;
    this.#sockets.set(socket.port, socket);
    return socket.asSocket;
  }

  /** The gateway's kernel is gone, and all its sockets with it. */
  forgetSockets(): void {
    this.#sockets.clear();
  }

  sendToGateway(port: number, bytes: Buffer): void {
    this.#ports.observer.onServerSend(port, bytes);
    const lane = this.weather.link === 'open' ? this.weather.down : undefined;
    this.#carry('▼', port, bytes, lane, this.#downRng, () =>
      this.#sockets.get(port)?.arrived(bytes, { address: GATEWAY.host, port: GATEWAY.port }),
    );
  }

  readonly #carrier: Carrier = {
    send: (port, bytes) => {
      this.#ports.observer.onGatewaySend(port, bytes);
      const { link, up } = this.weather;
      if (link === 'unreachable') return routeError();
      if (link === 'refused') this.#refuse(port);
      this.#carry('▲', port, bytes, link === 'open' ? up : undefined, this.#upRng, () => {
        if (this.serverDown) this.#refuse(port);
        else this.toServer(bytes, { address: GATEWAY_ADDRESS, port });
      });
      return undefined;
    },
    routeProblem: () => (this.weather.link === 'unreachable' ? routeError() : undefined),
    closed: (port) => this.#sockets.delete(port),
  };

  #refuse(port: number): void {
    const error = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    this.#ports.time.after(ICMP_MS, () => this.#sockets.get(port)?.failed(error));
  }

  #carry(
    way: string,
    port: number,
    bytes: Buffer,
    lane: Lane | undefined,
    rng: SeededRandom,
    arrive: () => void,
  ) {
    const { time, trace } = this.#ports;
    const what = `${way} ${port} ${describeDatagram(bytes)}`;
    if (lane === undefined || rng.isTrue(lane.lostShare)) return trace.add(`${what} lost`);
    const copies = rng.isTrue(lane.doubledShare) ? 2 : 1;
    for (let copy = 1; copy <= copies; copy += 1) {
      const isLate = rng.isTrue(lane.lateShare);
      const delayMs =
        rng.between(lane.delayMsMin, lane.delayMsMax) + (isLate ? rng.between(0, lane.lateMsMax) : 0);
      trace.add(`${what} takes ${delayMs.toFixed(1)} ms`);
      time.after(delayMs, arrive);
    }
  }
}

function routeError(): NodeJS.ErrnoException {
  return Object.assign(new Error('network is unreachable'), { code: 'ENETUNREACH' });
}

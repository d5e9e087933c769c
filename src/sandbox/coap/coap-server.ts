/**
 * The sandbox's CoAP front door: a UDP port that answers devices as ThingsBoard's CoAP transport does.
 *
 *     socket ⇄ bad network (knobs) ⇄ one server life (messages, exchanges, observations) ⇄ core
 *
 * It promises the contract's behaviour datagram by datagram, oddities included, and that no datagram can bring it down.
 * What is true of devices, tokens and data is the core's business. Disposing it stops every timer and closes the socket.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { SandboxCore } from '../core/model/types.ts';
import type { Peer } from './message.ts';
import { NetworkSimulator } from './network-simulator.ts';
import { ServerInstance } from './server-instance.ts';
import { type CoapSettings, defaultSettings } from './settings.ts';

export interface CoapServerOptions {
  readonly core: SandboxCore;
  /** `::1` and `::` listen on IPv6 (`::` on both), anything else on IPv4. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly log?: (line: string) => void;
  /** For tests that cannot wait; the defaults are the real server's. */
  readonly settings?: Partial<CoapSettings>;
}

export interface CoapServer extends AsyncDisposable {
  readonly port: number;
  /** Forgets observations, message IDs and block states, as a restarted server does. The peers are not told. */
  restart(): void;
}

/** Room for a burst of a few thousand gateways; the kernel may grant less. */
const receiveBufferBytes = 1024 * 1024;

/** Rejects when the port cannot be bound. */
export async function openCoapServer(options: CoapServerOptions): Promise<CoapServer> {
  const { host, port, log = () => {} } = options;
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.bind(port, host);
  try {
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('error', (error) => log(`CoAP: socket: ${error.message}`));
  try {
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch (error) {
    log(`CoAP: receive buffer stays as it is: ${String(error)}`);
  }
  return new UdpCoapServer(socket, options);
}

class UdpCoapServer implements CoapServer {
  readonly port: number;
  readonly #socket: Socket;
  readonly #network: NetworkSimulator;
  readonly #createInstance: () => ServerInstance;
  #instance: ServerInstance;
  #closed = false;

  constructor(socket: Socket, { core, log = () => {}, settings }: CoapServerOptions) {
    this.port = socket.address().port;
    this.#socket = socket;
    this.#network = new NetworkSimulator(core.knobs);
    const send = (peer: Peer, datagram: Buffer) => {
      this.#network.outbound(() => this.#transmit(peer, datagram, log));
    };
    this.#createInstance = () =>
      new ServerInstance({ core, send, settings: { ...defaultSettings, ...settings }, log });
    this.#instance = this.#createInstance();
    socket.on('message', (datagram, { address, port }) => {
      this.#network.inbound(() => this.#instance.receive(datagram, { address, port }));
    });
  }

  restart(): void {
    if (this.#closed) return;
    this.#instance.stop();
    this.#instance = this.#createInstance();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#instance.stop();
    this.#network.stop();
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #transmit({ address, port }: Peer, datagram: Buffer, log: (line: string) => void): void {
    if (this.#closed) return;
    try {
      // A datagram may claim any source, port 0 included, to which Node refuses to send.
      this.#socket.send(datagram, port, address, (error) => {
        if (error !== null) log(`CoAP: could not send: ${error.message}`);
      });
    } catch (error) {
      log(`CoAP: could not send: ${String(error)}`);
    }
  }
}

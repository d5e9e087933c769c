/**
 * A UDP port that behaves like ThingsBoard's CoAP transport, datagram by datagram; no datagram makes it
 * throw:
 *
 *     socket ⇄ network simulator (knobs) ⇄ server instance (messages, exchanges, observations) ⇄ core
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { SandboxCore } from '../core/model/types.ts';
import type { CertificateOf } from './coap-device-api.ts';
import type { Peer } from './message.ts';
import { NetworkSimulator } from './network-simulator.ts';
import { ServerInstance } from './server-instance.ts';
import { type CoapSettings, defaultSettings } from './settings.ts';

export interface CoapServerOptions {
  readonly core: SandboxCore;
  /** `::1` and `::` listen on IPv6 (`::` on both families), other addresses on IPv4. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log?: (line: string) => void;
  /** Shorter times, for tests; the defaults are the real server's. */
  readonly settings?: Partial<CoapSettings>;
  /** Default: nobody has a certificate. */
  readonly certificateOf?: CertificateOf;
}

export interface CoapServer extends AsyncDisposable {
  readonly port: number;
  /**
   * Simulates a server restart: loses observations, message IDs and block transfers without notice to the
   * peers.
   */
  restart(): void;
}

/** For a burst of a few thousand gateways; the kernel may grant less. */
const receiveBufferBytes = 1024 * 1024;

/** Rejects if the port cannot be bound. */
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
    log(`CoAP: cannot enlarge the receive buffer: ${String(error)}`);
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

  constructor(socket: Socket, { core, log = () => {}, settings, certificateOf }: CoapServerOptions) {
    this.port = socket.address().port;
    this.#socket = socket;
    this.#network = new NetworkSimulator(core.knobs);
    const send = (peer: Peer, datagram: Buffer) => {
      this.#network.outbound(() => this.#transmit(peer, datagram, log));
    };
    this.#createInstance = () =>
      new ServerInstance({
        core,
        send,
        settings: { ...defaultSettings, ...settings },
        log,
        ...(certificateOf && { certificateOf }),
      });
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
      // `send` throws for port 0, which a forged datagram can have as its source.
      this.#socket.send(datagram, port, address, (error) => {
        if (error !== null) log(`CoAP: cannot send: ${error.message}`);
      });
    } catch (error) {
      log(`CoAP: cannot send: ${String(error)}`);
    }
  }
}

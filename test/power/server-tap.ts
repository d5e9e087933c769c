/**
 * Relays every datagram between one gateway and the server, and records each token that the gateway proposes.
 * If it is closed, it drops all datagrams: the server is unreachable.
 *
 * The server cannot tell whether a second token was proposed, because it declines such a request without
 * mentioning the token.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parse } from 'coap-packet';

export class ServerTap implements AsyncDisposable {
  readonly port: number;
  /** Every token proposed in a provisioning request, once. */
  readonly proposed = new Set<string>();
  isOpen = true;
  readonly #socket: Socket;
  readonly #serverPort: number;
  readonly #onProposal: (token: string) => void;
  /** One socket to the server per port of the gateway, which has another port after each start. */
  readonly #serverSockets = new Map<number, Socket>();

  /** `onProposal` runs before the datagram is forwarded, also for repetitions. */
  static async open(serverPort: number, onProposal: (token: string) => void): Promise<ServerTap> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ServerTap(socket, serverPort, onProposal);
  }

  private constructor(socket: Socket, serverPort: number, onProposal: (token: string) => void) {
    this.port = socket.address().port;
    this.#socket = socket;
    this.#serverPort = serverPort;
    this.#onProposal = onProposal;
    socket.on('message', (bytes, from) => {
      if (this.isOpen) this.#forward(bytes, from.port);
    });
    socket.on('error', () => {}); // a killed gateway has no port any more
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#socket, ...this.#serverSockets.values()]) {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    }
  }

  #forward(bytes: Buffer, gatewayPort: number): void {
    const token = proposedToken(bytes);
    if (token !== undefined) {
      this.proposed.add(token);
      this.#onProposal(token);
    }
    this.#socketFor(gatewayPort).send(bytes, this.#serverPort, '127.0.0.1');
  }

  #socketFor(gatewayPort: number): Socket {
    const open = this.#serverSockets.get(gatewayPort);
    if (open) return open;
    const socket = createSocket('udp4');
    socket.on('message', (bytes) => {
      if (this.isOpen) this.#socket.send(bytes, gatewayPort, '127.0.0.1');
    });
    socket.on('error', () => {});
    this.#serverSockets.set(gatewayPort, socket);
    return socket;
  }
}

function proposedToken(bytes: Buffer): string | undefined {
  const { payload } = parse(bytes);
  if (!payload.includes('provisionDeviceKey')) return undefined;
  const { token } = JSON.parse(payload.toString()) as { token?: string };
  return token;
}

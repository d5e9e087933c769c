/**
 * A tap on the wire between one gateway and the server: relays every datagram, and notes each token the gateway proposes. Closed,
 * it lets nothing through, either way: the server is away.
 *
 * The server cannot tell whether a second token was ever proposed, because it declines such a request without a word about the
 * token. The wire can.
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
  /** One socket to the server per port of the gateway: it has another one after each start. */
  readonly #onwards = new Map<number, Socket>();

  /** `onProposal` is called before the datagram goes on, repetitions included. */
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
      if (this.isOpen) this.#fromGateway(bytes, from.port);
    });
    socket.on('error', () => {}); // a gateway that was killed has no port any more
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#socket, ...this.#onwards.values()]) {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    }
  }

  #fromGateway(bytes: Buffer, gatewayPort: number): void {
    const token = proposedIn(bytes);
    if (token !== undefined) {
      this.proposed.add(token);
      this.#onProposal(token);
    }
    this.#onward(gatewayPort).send(bytes, this.#serverPort, '127.0.0.1');
  }

  #onward(gatewayPort: number): Socket {
    const open = this.#onwards.get(gatewayPort);
    if (open) return open;
    const socket = createSocket('udp4');
    socket.on('message', (bytes) => {
      if (this.isOpen) this.#socket.send(bytes, gatewayPort, '127.0.0.1');
    });
    socket.on('error', () => {});
    this.#onwards.set(gatewayPort, socket);
    return socket;
  }
}

function proposedIn(bytes: Buffer): string | undefined {
  const { payload } = parse(bytes);
  if (!payload.includes('provisionDeviceKey')) return undefined;
  const { token } = JSON.parse(payload.toString()) as { token?: string };
  return token;
}

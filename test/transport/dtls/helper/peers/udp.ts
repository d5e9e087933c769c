/** UDP peers for the tests of the helper: an echo behind the DTLS front, and a network between the two. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DtlsFront } from '../../../../../src/sandbox/coaps/dtls-front.ts';
import type { Pem } from '../../../../doubles/certificates.ts';

async function bound(port = 0): Promise<Socket> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('error', () => {});
  return socket;
}

export interface Echo extends AsyncDisposable {
  readonly front: DtlsFront;
  readonly port: number;
  /** Of the client that sent last. */
  readonly certificate: () => string | undefined;
}

/** The DTLS front before a port that sends every datagram back. */
export async function openEcho(
  { certFile, keyFile }: Pick<Pem, 'certFile' | 'keyFile'>,
  port = 0,
  host = '127.0.0.1',
): Promise<Echo> {
  const socket = await bound();
  let lastPort = 0;
  socket.on('message', (bytes, { port: to }) => {
    lastPort = to;
    socket.send(bytes, to, '127.0.0.1');
  });
  const front = await DtlsFront.start({ host, port, coapPort: socket.address().port, certFile, keyFile });
  return {
    front,
    port: front.port,
    certificate: () => front.certificateOf(lastPort),
    [Symbol.asyncDispose]: async () => {
      await front.close();
      socket.close();
    },
  };
}

/** What becomes of a datagram: these go on in its place. */
type Pass = (datagram: Buffer) => readonly Buffer[];

/** Forwards between a client and a server, and lets a test change, drop and forge. */
export class Network implements Disposable {
  readonly port: number;
  /** What the client sent. */
  readonly sent: Buffer[] = [];
  onClientPort: (port: number) => void = () => {};
  toServer: Pass = (datagram) => [datagram];
  toClient: Pass = (datagram) => [datagram];
  readonly #near: Socket;
  readonly #far = new Map<number, Socket>();
  readonly #serverPort: number;
  #clientPort = 0;

  private constructor(near: Socket, serverPort: number) {
    this.#near = near;
    this.#serverPort = serverPort;
    this.port = (near.address() as AddressInfo).port;
    near.on('message', (datagram, { port }) => this.#onClient(datagram, port));
  }

  static async open(serverPort: number): Promise<Network> {
    return new Network(await bound(), serverPort);
  }

  /** From how many ports the client has sent. */
  get clientPorts(): number {
    return this.#far.size;
  }

  /** Resolves when the client has sent this many datagrams; rejects after 5 s. */
  async hasSent(count: number): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (this.sent.length < count) {
      if (performance.now() > deadline)
        throw new Error(`${this.sent.length} of ${count} datagrams within 5 s`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** To the client that sent last, as if the server had sent it. */
  forge(datagram: Buffer): void {
    this.#near.send(datagram, this.#clientPort, '127.0.0.1');
  }

  /** The server sees every client at another port from now on, as after a NAT has forgotten it. */
  rebind(): void {
    for (const socket of this.#far.values()) socket.close();
    this.#far.clear();
  }

  [Symbol.dispose](): void {
    for (const socket of [this.#near, ...this.#far.values()]) socket.close();
  }

  /** Each client has a port of its own towards the server, too. */
  #onClient(datagram: Buffer, clientPort: number): void {
    this.#clientPort = clientPort;
    this.sent.push(datagram);
    let far = this.#far.get(clientPort);
    if (far === undefined) {
      far = createSocket('udp4');
      this.#far.set(clientPort, far);
      this.onClientPort(clientPort);
      far.on('error', () => {});
      far.on('message', (reply) => {
        for (const each of this.toClient(reply)) this.#near.send(each, clientPort, '127.0.0.1');
      });
    }
    for (const each of this.toServer(datagram)) far.send(each, this.#serverPort, '127.0.0.1');
  }
}

/**
 * A CoAP peer on a bare UDP socket: sends given bytes and returns received datagrams in order.
 * It acknowledges nothing by itself, because most tests are about acknowledgements.
 */

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { generate, type Option, parse } from 'coap-packet';

export class CoapPeer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #serverPort: number;
  readonly #serverHost: string;
  readonly #received: Buffer[] = [];
  #wake = () => {};

  private constructor(socket: Socket, serverPort: number, serverHost: string) {
    this.#socket = socket;
    this.#serverPort = serverPort;
    this.#serverHost = serverHost;
    socket.on('message', (datagram) => {
      this.#received.push(datagram);
      this.#wake();
    });
  }

  static async open(serverPort: number, serverHost = '127.0.0.1'): Promise<CoapPeer> {
    const socket = createSocket(serverHost.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, serverHost);
    await once(socket, 'listening');
    return new CoapPeer(socket, serverPort, serverHost);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(datagram: Buffer | string): void {
    const bytes = typeof datagram === 'string' ? Buffer.from(datagram, 'hex') : datagram;
    this.#socket.send(bytes, this.#serverPort, this.#serverHost);
  }

  /** The next datagram, or undefined if none arrives within `withinMs`. */
  async next(withinMs = 2_000): Promise<Buffer | undefined> {
    await this.#until(() => this.#received.length > 0, withinMs);
    return this.#received.shift();
  }

  /** Resolves when the server has read everything sent so far; its responses stay in the queue. */
  async settle(): Promise<void> {
    const pong = () => this.#received.findIndex((datagram) => datagram.toString('hex') === '7000ffff');
    this.send('4000ffff');
    await this.#until(() => pong() >= 0, 2_000);
    assert.ok(pong() >= 0, 'no response to the ping');
    this.#received.splice(pong(), 1);
  }

  async nextHex(withinMs = 2_000): Promise<string | undefined> {
    return (await this.next(withinMs))?.toString('hex');
  }

  /** Asserts that the next datagram matches; `....` stands for a message ID that the server chooses. */
  async expect(pattern: string, withinMs = 2_000): Promise<Buffer> {
    const datagram = await this.next(withinMs);
    assert.ok(datagram, `no datagram within ${withinMs} ms, expected ${pattern}`);
    const hex = datagram.toString('hex');
    const masked = pattern.slice(4, 8) === '....' ? `${hex.slice(0, 4)}....${hex.slice(8)}` : hex;
    assert.equal(masked, pattern);
    return datagram;
  }

  async expectSilence(forMs: number): Promise<void> {
    assert.equal(await this.nextHex(forMs), undefined);
  }

  /** Acknowledges a datagram of the server, or resets it with `7000`. */
  answer(datagram: Buffer, type: '6000' | '7000' = '6000'): void {
    this.send(type + datagram.subarray(2, 4).toString('hex'));
  }

  /** Removes and returns all received datagrams. */
  drain(): readonly Buffer[] {
    return this.#received.splice(0);
  }

  async #until(done: () => boolean, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const leftMs = deadline - performance.now();
      if (done() || leftMs <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wake();
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

export interface RequestOptions {
  readonly type?: 'CON' | 'NON';
  readonly messageId: number;
  readonly token?: string;
  readonly path: string;
  readonly query?: readonly string[];
  readonly options?: readonly Option[];
  readonly payload?: string | Buffer;
}

/** A request datagram. `path` is split at its slashes into Uri-Path options. */
export function request(method: string, requestOptions: RequestOptions): Buffer {
  const segments = requestOptions.path.split('/').filter((segment) => segment !== '');
  return generate(
    {
      code: method,
      confirmable: requestOptions.type !== 'NON',
      messageId: requestOptions.messageId,
      token: Buffer.from(requestOptions.token ?? '7a', 'hex'),
      options: [
        ...segments.map((segment) => option(11, Buffer.from(segment))),
        ...(requestOptions.query ?? []).map((item) => option(15, Buffer.from(item))),
        ...(requestOptions.options ?? []),
      ],
      payload: Buffer.from(requestOptions.payload ?? ''),
    },
    65_000,
  );
}

export function option(number: number, value: Buffer | string): Option {
  return { name: number, value: typeof value === 'string' ? Buffer.from(value, 'hex') : value };
}

/** The value of an option as hex; undefined if it is absent. */
export function optionHex(datagram: Buffer, name: string): string | undefined {
  return parse(datagram)
    .options.find((candidate) => candidate.name === name)
    ?.value.toString('hex');
}

export function payloadText(datagram: Buffer): string {
  return parse(datagram).payload.toString();
}

export function codeOf(datagram: Buffer | undefined): string {
  assert.ok(datagram, 'no datagram arrived');
  return parse(datagram).code;
}

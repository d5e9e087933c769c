/**
 * A CoAP peer that responds by a script: a raw UDP socket and `coap-packet`, without any code of the agent.
 * It keeps every received datagram and calls the script for each request.
 */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { generate, type Packet, type ParsedPacket, parse } from 'coap-packet';

export type Script = (
  request: ParsedPacket,
  send: (answer: Packet | Buffer) => void,
  from: RemoteInfo,
) => void;

export class ScriptedPeer implements AsyncDisposable {
  readonly port: number;
  readonly received: ParsedPacket[] = [];
  readonly sourcePorts = new Set<number>();
  script: Script;
  readonly #socket: Socket;
  readonly #watchers = new Set<() => void>();

  static async open(script: Script, address = '127.0.0.1', port = 0): Promise<ScriptedPeer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new ScriptedPeer(socket, script);
  }

  private constructor(socket: Socket, script: Script) {
    this.#socket = socket;
    this.script = script;
    this.port = socket.address().port;
    socket.on('message', (bytes, from) => {
      const packet = parse(bytes);
      this.received.push(packet);
      if (this.received.length > 1_000) this.received.shift();
      this.sourcePorts.add(from.port);
      for (const watch of this.#watchers) watch();
      if (packet.code.startsWith('0.') && packet.code !== '0.00') {
        this.script(packet, (answer) => this.send(answer, from), from);
      }
    });
  }

  send(answer: Packet | Buffer, to: { port: number; address: string }): void {
    const bytes = Buffer.isBuffer(answer) ? answer : generate(answer, 65_000);
    this.#socket.send(bytes, to.port, to.address);
  }

  /**
   * Resolves with the first received packet that matches, now or later; the timeout of the test is the limit.
   */
  packet(matches: (packet: ParsedPacket) => boolean): Promise<ParsedPacket> {
    return this.#waitFor(() => this.received.find(matches));
  }

  /** Resolves with the packet number `index`, from 0, now or later. */
  nth(index: number): Promise<ParsedPacket> {
    return this.#waitFor(() => this.received[index]);
  }

  async #waitFor(find: () => ParsedPacket | undefined): Promise<ParsedPacket> {
    for (;;) {
      const found = find();
      if (found) return found;
      await new Promise<void>((resolve) => {
        const watch = () => {
          this.#watchers.delete(watch);
          resolve();
        };
        this.#watchers.add(watch);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** The response patterns of a server (contract section 2). */
export const patterns = {
  piggybacked: (code: string, payload = '') => script((request, send) => send(ack(request, code, payload))),
  confirmableWithoutAck: (code: string, payload = '') =>
    script((request, send) => send({ ...answer(request, code, payload), confirmable: true })),
  ackThenConfirmable: (code: string, payload = '') =>
    script((request, send) => {
      send(emptyAck(request));
      send({ ...answer(request, code, payload), confirmable: true });
    }),
  confirmableBeforeAck: (code: string, payload = '') =>
    script((request, send) => {
      send({ ...answer(request, code, payload), confirmable: true });
      send(emptyAck(request));
    }),
  nonConfirmable: (code: string, payload = '') =>
    script((request, send) => send(answer(request, code, payload))),
  reset: () => script((request, send) => send({ code: '0.00', reset: true, messageId: request.messageId })),
  silence: () => script(() => {}),
  ackThenSilence: () => script((request, send) => send(emptyAck(request))),
} as const;

/** Answers the request that identifies ThingsBoard as ThingsBoard does, and the others by `script`. */
export function identifiedAsThingsBoard(run: Script): Script {
  return (request, send, from) => {
    if (isIdentification(request)) send(ack(request, '4.00'));
    else run(request, send, from);
  };
}

/** A GET of /api/v1/provision. */
export function isIdentification({ code, options }: ParsedPacket): boolean {
  const path = options.filter(({ name }) => name === 'Uri-Path').map(({ value }) => value.toString());
  return code === '0.01' && path.join('/') === 'api/v1/provision';
}

let lastMessageId = 0x7000;

export function answer(request: ParsedPacket, code: string, payload: string | Buffer = ''): Packet {
  lastMessageId = (lastMessageId + 1) & 0xffff;
  return { code, token: request.token, messageId: lastMessageId, payload: Buffer.from(payload) };
}

export function ack(request: ParsedPacket, code: string, payload: string | Buffer = ''): Packet {
  return { ...answer(request, code, payload), ack: true, messageId: request.messageId };
}

export function emptyAck(request: ParsedPacket): Packet {
  return { code: '0.00', ack: true, messageId: request.messageId };
}

function script(run: Script): Script {
  return run;
}

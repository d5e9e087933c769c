/**
 * Hostile notifications from a seed: what a server, or somebody who guesses the token of an observation, could send.
 * Listening goes on or ends with a value, a command still arrives afterwards, and the heap does not grow.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate, type OptionName, type Packet, type ParsedPacket, parse } from 'coap-packet';
import { Secret } from '../../../../src/core/model/secret.ts';
import type { AttributeUpdate, Command, DownlinkListener } from '../../../../src/core/ports/downlink.ts';
import { CoapTransport } from '../../../../src/transport/coap/transport.ts';
import { VirtualClock } from '../../../doubles/virtual-clock.ts';
import { SeededRandom } from '../../../simulation/seeded-random.ts';
import { VirtualSocket } from '../../../simulation/virtual-socket.ts';
import { uint } from '../helpers/observe-peer.ts';

const SERVER = { address: '192.0.2.7', port: 5_683 };
const HEAP_BYTES_MAX = 2_000_000;
const COMMAND = '{"id":4711,"method":"genuine"}';

type Option = { readonly name: OptionName; readonly value: Buffer };

class HostileServer {
  readonly random: SeededRandom;
  /** The registrations of the current `listen`, newest last. */
  readonly registrations: ParsedPacket[] = [];
  isHostile = true;
  readonly #sockets = new Set<VirtualSocket>();
  #messageId = 0;
  #port = 40_000;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  readonly openSocket = () => {
    const socket: VirtualSocket = new VirtualSocket(
      this.#port++,
      {
        send: (_port, bytes) => this.#receive(parse(bytes)),
        routeProblem: () => undefined,
        closed: () => this.#sockets.delete(socket),
      },
      (act) => act(),
    );
    this.#sockets.add(socket);
    return socket.asSocket;
  };

  send(packet: Packet | Buffer): void {
    const bytes = Buffer.isBuffer(packet) ? packet : generate(packet, 65_000);
    for (const socket of this.#sockets) socket.receive(bytes, SERVER);
  }

  sendCommand(): void {
    const request = this.registrations.at(-1);
    if (request === undefined) return;
    const options = [{ name: 'Observe' as const, value: uint(1) }];
    const packet = { code: '2.05', confirmable: true, messageId: this.#nextId(), options };
    this.send({ ...packet, token: request.token, payload: Buffer.from(COMMAND) });
  }

  /** One datagram, mostly with the token of an observation. */
  attack(): void {
    const { random } = this;
    const request = this.registrations.at(-1 - random.integer(0, 1));
    if (request === undefined || random.isTrue(0.05)) return this.send(this.#bytes(60));
    const options: Option[] = [];
    if (random.isTrue(0.9)) options.push({ name: 'Observe', value: this.#observe() });
    if (random.isTrue(0.1)) options.push({ name: 'Block2', value: this.#bytes(3) });
    if (random.isTrue(0.1)) options.push({ name: 'Size2', value: this.#bytes(4) });
    if (random.isTrue(0.1)) options.push({ name: 'Content-Format', value: this.#bytes(2) });
    const isAck = random.isTrue(0.05);
    const packet = {
      code: random.isTrue(0.97)
        ? '2.05'
        : this.#pick(['2.02', '2.03', '2.31', '4.01', '4.04', '5.00', '7.31']),
      confirmable: !isAck && random.isTrue(0.8),
      ack: isAck,
      messageId: random.isTrue(0.2) ? this.#messageId : this.#nextId(),
      token: random.isTrue(0.9) ? request.token : this.#bytes(8),
      options,
      payload: this.#payload(),
    };
    const bytes = generate(packet, 65_000);
    if (random.isTrue(0.1)) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    this.send(bytes);
  }

  #receive(packet: ParsedPacket): undefined {
    if (!packet.code.startsWith('0.') || packet.code === '0.00') return;
    const observe = packet.options.find(({ name }) => name === 'Observe');
    const path = packet.options
      .filter(({ name }) => name === 'Uri-Path')
      .map(({ value }) => value.toString());
    const isAttributes = path[3] === 'attributes';
    if (observe && observe.value.length === 0) {
      if (isAttributes) this.registrations.length = 0;
      if (!this.registrations.some(({ token }) => token.equals(packet.token)))
        this.registrations.push(packet);
    }
    if (this.isHostile && this.random.isTrue(0.1)) return;
    const response: Packet = {
      code: isAttributes || !observe ? '2.05' : '2.03',
      ack: true,
      messageId: packet.messageId,
      token: packet.token,
      options: observe
        ? [{ name: 'Observe', value: Buffer.alloc(0) }]
        : [{ name: 'Block2', value: this.#bytes(3) }],
      payload: this.isHostile && this.random.isTrue(0.2) ? this.#payload() : Buffer.from('{}'),
    };
    queueMicrotask(() => this.send(response));
    return undefined;
  }

  #observe(): Buffer {
    const { random } = this;
    return random.isTrue(0.5) ? uint(random.integer(0, 20)) : this.#bytes(4);
  }

  #payload(): Buffer {
    const { random } = this;
    switch (random.integer(0, 4)) {
      case 0:
        return this.#bytes(1_500);
      case 1:
        return Buffer.from(
          JSON.stringify({ id: this.#json(3), method: this.#json(3), params: this.#json(0) }),
        );
      case 2:
        return Buffer.from(
          `{"id":${random.integer(-5, 5)},"method":"m","params":${JSON.stringify(this.#json(0))}}`,
        );
      case 3:
        return Buffer.from(JSON.stringify({ [this.#pick(NAMES)]: this.#json(0), deleted: this.#json(1) }));
      default: {
        const depth = random.integer(1, 700);
        return Buffer.from(`{"id":1,"method":"deep","params":${'['.repeat(depth)}${']'.repeat(depth)}}`);
      }
    }
  }

  #json(depth: number): unknown {
    const { random } = this;
    const kind = depth > 3 ? 0 : random.integer(0, 3);
    if (kind === 1) return Array.from({ length: random.integer(0, 4) }, () => this.#json(depth + 1));
    if (kind === 2) return { [this.#pick(NAMES)]: this.#json(depth + 1) };
    return this.#pick<unknown>([
      null,
      true,
      -0,
      1e308,
      2 ** 53 - 1,
      '',
      '\u0000',
      'x'.repeat(300),
      this.#pick(NAMES),
    ]);
  }

  #bytes(lengthMax: number): Buffer {
    const { random } = this;
    return Buffer.from(Array.from({ length: random.integer(0, lengthMax) }, () => random.integer(0, 255)));
  }

  #pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.random.integer(0, choices.length - 1)] ?? choices[0];
  }

  #nextId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }
}

const NAMES: readonly [string, ...string[]] = [
  '__proto__',
  'constructor',
  'telemetryInterval',
  'deleted',
  'toString',
  '',
  'ключ',
  'server.url',
];

/** Uses what it hears, as the agent would. */
class UsingListener implements DownlinkListener {
  heard = 0;
  isGenuine = false;

  onRegistered(): void {}

  onAttributes(update: AttributeUpdate): void {
    this.heard += 1;
    JSON.stringify(update);
  }

  onCommand(command: Command): void {
    this.heard += 1;
    JSON.stringify(command);
    if (command.id === 4711 && command.method === 'genuine') this.isGenuine = true;
  }
}

async function heapBytes(): Promise<number> {
  assert.ok(globalThis.gc, 'run with --expose-gc, as npm test does');
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
  }
  return process.memoryUsage().heapUsed;
}

export function testHostileNotifications(count: number): void {
  test(`${count.toLocaleString('en')} hostile notifications end nothing and leave nothing`, {
    timeout: 300_000,
  }, async () => {
    const server = new HostileServer(16);
    const clock = new VirtualClock();
    const transport = new CoapTransport(
      { host: SERVER.address, port: SERVER.port },
      { clock, random: { uniform: () => 0.5 }, openSocket: server.openSocket, ownAddresses: () => 'one' },
    );
    const listener = new UsingListener();
    const stop = new AbortController();
    const ends = new Map<string, number>();
    const listening = (async () => {
      while (!stop.signal.aborted) {
        const both = { attributes: true, commands: true };
        const end = await transport.listen(new Secret('token'), both, listener, stop.signal);
        const reason = end.ok ? 'ok' : end.failure.reason;
        ends.set(reason, (ends.get(reason) ?? 0) + 1);
        await clock.sleep(1, stop.signal);
      }
    })();
    const attack = async (datagrams: number) => {
      for (let sent = 0; sent < datagrams; sent += 1) {
        server.attack();
        // Refills the budget of the agent, so that it reads most messages.
        await clock.advance(sent % 100 === 0 ? 60_000 : 200);
      }
    };
    await attack(count / 2);
    const halfwayBytes = await heapBytes();
    await attack(count / 2);
    const grown = (await heapBytes()) - halfwayBytes;
    assert.ok(grown < HEAP_BYTES_MAX, `the heap grew by ${grown} bytes`);
    assert.ok(listener.heard > count / 20, `${listener.heard} of ${count} were heard`);
    assert.ok((ends.get('ok') ?? 0) > 0 && ends.size > 2, [...ends].join(' '));
    server.isHostile = false;
    for (let tries = 0; tries < 200 && !listener.isGenuine; tries += 1) {
      await clock.advance(5_000);
      server.sendCommand();
      await clock.advance(100);
    }
    assert.equal(listener.isGenuine, true);
    stop.abort();
    await listening;
    await transport[Symbol.asyncDispose]();
  });
}

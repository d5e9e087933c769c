/**
 * Sends recorded probes to a sandbox, one after the other over real UDP and HTTP, and compares the answers. It
 * does not wait for silence: all sockets stay open, and what arrived on them is compared at the end.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { decodeMessage, describeOption, encodeMessage, optionOf } from './coap-wire.ts';
import { httpClient } from './http-client.ts';
import {
  type Answer,
  bodyOf,
  describeAnswers,
  matches,
  type Probe,
  payloadOf,
  type Scenario,
} from './recorded-probes.ts';

export interface ReplayTimes {
  /** Latency of the sandbox's core, ms. */
  readonly latencyMs: number;
  /** How long to listen after the last probe, ms. */
  readonly listenMs: number;
}

/** How long to wait for recorded answers before the next probe, ms; the empty ACK takes 500. */
const ANSWER_MS = 700;
/** Recorded answers that come so late that the next probe is sent before: an empty ACK, the end of a poll. */
const LATE: ReadonlySet<string> = new Set(['ACK 0.00', '408']);
const METHODS: ReadonlyMap<string, string> = new Map([
  ['GET', '0.01'],
  ['POST', '0.02'],
  ['PUT', '0.03'],
  ['DELETE', '0.04'],
  ['FETCH', '0.05'],
  ['PATCH', '0.06'],
]);

/** What differs, a text for each probe; empty if the sandbox answers as recorded. */
export async function replay(scenario: Scenario, times: ReplayTimes): Promise<readonly string[]> {
  await using sandbox = await openSandbox({
    provisioning: { key: 'KEY', secret: 'SECRET' },
    knobs: { coreLatencyMinMs: times.latencyMs, coreLatencyMaxMs: times.latencyMs },
  });
  for (const device of scenario.devices) sandbox.core.admin.createDevice(device);
  await using prober = new Prober(sandbox);
  for (const probe of scenario.probes) await prober.send(probe);
  await new Promise((resolve) => setTimeout(resolve, times.listenMs));
  return prober.differences();
}

interface Sent {
  readonly probe: Probe;
  readonly answers: Answer[];
  readonly callerGot: Promise<unknown> | undefined;
}

interface Arrival {
  /** Resolves when as many answers as were recorded have arrived; never if none was. */
  readonly arrived: Promise<void>;
}

class Prober implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #sockets = new Map<string, ProbeSocket>();
  readonly #sent: Sent[] = [];
  readonly #leaving = new AbortController();
  #rpc: Promise<unknown> | undefined;
  #messageId = 0;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  async send(probe: Probe): Promise<void> {
    const answers: Answer[] = [];
    const isHttp = probe.request !== undefined && METHODS.has(probe.request.split(' ')[0] ?? '');
    const { arrived } = isHttp ? this.#http(probe, answers) : await this.#coap(probe, answers);
    this.#sent.push({ probe, answers, callerGot: probe.callerGot === undefined ? undefined : this.#rpc });
    const isLate = probe.answers.length === 1 && LATE.has(probe.answers[0]?.[0] ?? '');
    if (probe.answers.length === 0 || (isLate && probe.socket === undefined)) return;
    await Promise.race([arrived, new Promise((resolve) => setTimeout(resolve, ANSWER_MS))]);
  }

  async differences(): Promise<readonly string[]> {
    const differences: string[] = [];
    for (const { probe, answers, callerGot } of this.#sent) {
      if (!matches(probe.answers, answers)) {
        differences.push(
          `${probe.name}\n  recorded: ${describeAnswers(probe.answers)}\n  sandbox:  ${describeAnswers(answers)}`,
        );
      }
      const got = await callerGot;
      if (callerGot !== undefined && !matches(probe.callerGot, got)) {
        differences.push(`${probe.name}: the sender of the RPC got ${JSON.stringify(got)}`);
      }
    }
    return differences;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    for (const socket of this.#sockets.values()) await socket[Symbol.asyncDispose]();
  }

  #http(probe: Probe, answers: Answer[]): Arrival {
    const [method = '', path = ''] = probe.request?.split(' ') ?? [];
    const headers = Object.entries({ 'Content-Type': 'application/json', ...probe.headers });
    const arrived = httpClient(this.#sandbox.httpPort)({
      method,
      path,
      body: bodyOf(probe),
      headers: Object.fromEntries(
        headers.flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
      ),
      signal: this.#leaving.signal,
    }).then(
      ({ status, contentType, body }) => {
        const head = `${status} ${contentType.split(';', 1)[0]}`.trim();
        answers.push(body === '' ? [head] : [head, payloadOf(body)]);
      },
      (error: unknown) => {
        if (!this.#leaving.signal.aborted) answers.push([String(error)]);
      },
    );
    return { arrived };
  }

  /** Resolves when the probe is sent. */
  async #coap(probe: Probe, answers: Answer[]): Promise<Arrival> {
    this.#messageId += 1;
    const datagram = probe.datagram === undefined ? undefined : Buffer.from(probe.datagram, 'hex');
    const messageId = datagram?.readUInt16BE(2) ?? probe.messageId ?? this.#messageId;
    const name = probe.socket ?? `own ${this.#sent.length}`;
    const token = Buffer.from(probe.token ?? `c0ffee${messageId.toString(16).padStart(4, '0')}`, 'hex');
    const socket = this.#sockets.get(name) ?? (await ProbeSocket.open(this.#sandbox.coapPort));
    this.#sockets.set(name, socket);
    const arrived = socket.collect(probe.answers.length, (received) => {
      answers.push(describeDatagram(received, messageId, probe.listen === true ? undefined : token));
    });
    this.#administrate(probe);
    if (datagram !== undefined) socket.send(datagram);
    else if (probe.request !== undefined) socket.send(encodeProbe(probe, messageId, token));
    return { arrived };
  }

  #administrate({ share, unshare, strategy, rpc }: Probe): void {
    const { admin } = this.#sandbox.core;
    const [device] = this.#sandbox.devices();
    const name = device?.name ?? '';
    if (share !== undefined) admin.setSharedAttributes(name, JSON.stringify(share));
    if (unshare !== undefined) admin.deleteSharedAttributes(name, unshare);
    if (strategy !== undefined) this.#sandbox.setKnobs({ strategy });
    if (rpc === undefined) return;
    this.#rpc = admin.sendRpc(name, rpc).then((answer) => {
      if (!answer.ok) return answer.message;
      const { value } = answer;
      if (value.status === 'sent') return null;
      return value.status === 'replied' ? payloadOf(value.reply) : value.status;
    });
  }
}

/** Acknowledges every CON. */
class ProbeSocket implements AsyncDisposable {
  readonly #socket: Socket;
  #receive: (datagram: Buffer) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram) => {
      this.#receive(datagram);
      if (datagram.readUInt8(0) >> 4 === 4) {
        socket.send(Buffer.from([0x60, 0, datagram.readUInt8(2), datagram.readUInt8(3)]));
      }
    });
  }

  static async open(port: number): Promise<ProbeSocket> {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new ProbeSocket(socket);
  }

  send(datagram: Buffer): void {
    this.#socket.send(datagram);
  }

  /** Hands all datagrams from now on to `receive`, until the next call; resolves after `count` of them. */
  collect(count: number, receive: (datagram: Buffer) => void): Promise<void> {
    let received = 0;
    return new Promise((resolve) => {
      this.#receive = (datagram) => {
        receive(datagram);
        received += 1;
        if (received === count) resolve();
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

function encodeProbe(probe: Probe, messageId: number, token: Buffer): Buffer {
  const [type, method = '', target = ''] = probe.request?.split(' ') ?? [];
  const [path = '', query = ''] = target.split('?');
  const segments = path.split('/').filter((segment) => segment !== '');
  const texts = (number: number, items: readonly string[]) =>
    items.map((item) => [number, Buffer.from(item)] as const);
  return encodeMessage({
    type: type === 'NON' ? 'NON' : 'CON',
    code: METHODS.get(method) ?? '',
    messageId,
    token,
    options: [
      ...texts(11, probe.pathInOneOption === true ? [path] : segments),
      ...texts(
        15,
        query.split('&').filter((item) => item !== ''),
      ),
      ...Object.entries(probe.options ?? {}).map(([name, value]) => optionOf(name, value)),
    ],
    payload: Buffer.from(bodyOf(probe)),
  });
}

/** An acknowledgement must have the message ID of its request, a response its token. */
function describeDatagram(datagram: Buffer, messageId: number, token: Buffer | undefined): Answer {
  const message = decodeMessage(datagram);
  const { type, code, options, payload } = message;
  const isEmpty = code === '0.00';
  const problems = [
    ...((type === 'ACK' || type === 'RST') && token !== undefined && message.messageId !== messageId
      ? ['other message ID']
      : []),
    ...(!isEmpty && token !== undefined && !message.token.equals(token) ? ['other token'] : []),
    ...(isEmpty && message.token.length > 0 ? ['a token'] : []),
  ];
  const head = [`${type} ${code}`, ...options.map(describeOption), ...problems].join(' ');
  return payload.length === 0 ? [head] : [head, payloadOf(payload.toString('utf8'))];
}

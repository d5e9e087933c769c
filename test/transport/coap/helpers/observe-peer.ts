/** A scripted server of observations: responds to registrations, and sends what a test tells it to. */

import type { RemoteInfo } from 'node:dgram';
import type { Packet, ParsedPacket } from 'coap-packet';
import type { Result } from '../../../../src/core/failures/failure.ts';
import { Secret } from '../../../../src/core/model/secret.ts';
import type { Clock } from '../../../../src/core/ports/clock.ts';
import type { Subscriptions } from '../../../../src/core/ports/downlink.ts';
import { hostClock } from '../../../../src/host/clock/clock.ts';
import type { RenewalIntervals } from '../../../../src/transport/coap/observe-device.ts';
import { type CoapPorts, CoapTransport } from '../../../../src/transport/coap/transport.ts';
import { RecordingListener } from '../../../doubles/recording-listener.ts';
import { RecordingLogger } from '../../../doubles/recording-logger.ts';
import { ack, answer, emptyAck, type Script, ScriptedPeer } from './scripted-peer.ts';

export const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
/** A busy machine must not cause a retransmission. */
const PATIENT = { retransmitAfterMs: [10_000], noAckTimeoutMs: 15_000, responseTimeoutMs: 15_000 };
export const NO_RENEWAL: RenewalIntervals = {
  commandsMs: 3_600_000,
  attributesMsMin: 3_600_000,
  attributesMsMax: 3_600_000,
  pauseMs: 0,
};

interface Registration {
  readonly request: ParsedPacket;
  readonly from: RemoteInfo;
}

type Resource = 'attributes' | 'rpc';

export class ObservePeer implements AsyncDisposable {
  readonly heard = new RecordingListener();
  readonly log = new RecordingLogger();
  readonly peer: ScriptedPeer;
  readonly transport: CoapTransport;
  /** The result of `listen`. */
  readonly end: Promise<Result<void>>;
  /** All shared attributes, as JSON. */
  attributes = '{}';
  /** Replaces the usual response to a registration; returns false to get it. */
  onRegistration: (resource: Resource, request: ParsedPacket, send: Parameters<Script>[1]) => boolean = () =>
    false;
  /** The response to a request other than a registration. */
  onRequest: Script = (request, send) => send(ack(request, '2.01'));
  readonly registrations: Readonly<Record<Resource, Registration[]>> = { attributes: [], rpc: [] };
  readonly #stop = new AbortController();
  #messageId = 0x2000;

  static async open(subscriptions: Partial<Subscriptions> = {}, ports: Partial<CoapPorts> = {}) {
    const peer = await ScriptedPeer.open(() => {});
    return new ObservePeer(peer, { attributes: true, commands: true, ...subscriptions }, ports);
  }

  /** After the first registrations. */
  static async observed(subscriptions: Partial<Subscriptions> = {}, ports: Partial<CoapPorts> = {}) {
    const observed = await ObservePeer.open(subscriptions, ports);
    await observed.heard.until(({ registrations }) => registrations > 0);
    return observed;
  }

  private constructor(peer: ScriptedPeer, subscriptions: Subscriptions, ports: Partial<CoapPorts>) {
    this.peer = peer;
    peer.script = (request, send, from) => this.#handle(request, send, from);
    this.transport = new CoapTransport(
      { host: '127.0.0.1', port: peer.port },
      {
        clock: hostClock(),
        random: { uniform: () => 0 },
        timingOf: () => PATIENT,
        renewals: NO_RENEWAL,
        log: this.log,
        ...ports,
      },
    );
    this.end = this.transport.listen(TOKEN, subscriptions, this.heard, this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Sends a confirmable notification with the token of the newest registration; returns its message ID. */
  notify(resource: Resource, observe: number, payload: string, more: Partial<Packet> = {}): number {
    const registration = this.registrations[resource].at(-1);
    if (!registration) throw new Error(`${resource} is not observed`);
    this.#messageId += 1;
    const options = [{ name: 'Observe' as const, value: uint(observe) }, ...(more.options ?? [])];
    const packet = {
      ...answer(registration.request, '2.05', payload),
      confirmable: true,
      messageId: this.#messageId,
      ...more,
      options,
    };
    this.peer.send(packet, registration.from);
    return packet.messageId;
  }

  /** The number of empty messages of the gateway with this message ID. */
  empty(messageId: number, kind: 'ack' | 'reset' = 'ack'): number {
    return this.peer.received.filter(
      (packet) => packet.code === '0.00' && packet[kind] && packet.messageId === messageId,
    ).length;
  }

  /** Resolves when the gateway has acknowledged or reset the message. */
  async until(messageId: number, kind: 'ack' | 'reset' = 'ack', count = 1): Promise<void> {
    await this.peer.packet(() => this.empty(messageId, kind) >= count);
  }

  /** Resolves when there are `count` registrations of the resource. */
  async registered(resource: Resource, count: number): Promise<Registration> {
    await this.peer.packet(() => this.registrations[resource].length >= count);
    return this.registrations[resource][count - 1] as Registration;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.end;
    await this.transport[Symbol.asyncDispose]();
    await this.peer[Symbol.asyncDispose]();
  }

  #handle(request: ParsedPacket, send: Parameters<Script>[1], from: RemoteInfo): void {
    const observe = request.options.find(({ name }) => name === 'Observe')?.value;
    if (observe === undefined) return this.onRequest(request, send, from);
    if (observe.length > 0) return send(emptyAck(request));
    const path = request.options
      .filter(({ name }) => name === 'Uri-Path')
      .map(({ value }) => value.toString());
    const resource = path[3] === 'rpc' ? 'rpc' : 'attributes';
    this.registrations[resource].push({ request, from });
    if (this.onRegistration(resource, request, send)) return;
    const options = [{ name: 'Observe' as const, value: Buffer.alloc(0) }];
    if (resource === 'attributes') send({ ...ack(request, '2.05', this.attributes), options });
    else send({ ...answer(request, '2.03'), confirmable: true, options });
  }
}

export function uint(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.subarray(Math.floor(Math.clz32(value) / 8));
}

/** A clock that a test can set forward. */
export function shiftedClock(laterMs: () => number): Clock {
  const clock = hostClock();
  return { ...clock, monotonicMs: () => clock.monotonicMs() + laterMs() };
}

/** Repeats `action` until the condition holds. */
export async function repeatUntil(action: () => void, isTrue: () => boolean): Promise<void> {
  while (!isTrue()) {
    action();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

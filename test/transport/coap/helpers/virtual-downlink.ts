/**
 * A gateway that listens over CoAP in virtual time: the CoAP transport, a NAT, a network with losses from a seed, and
 * the sandbox as server. Counts the bytes of UDP payload. Without telemetry, which would notice most losses earlier.
 */

import { generate } from 'coap-packet';
import { Secret } from '../../../../src/core/model/secret.ts';
import { CoapTransport } from '../../../../src/transport/coap/transport.ts';
import { RecordingListener } from '../../../doubles/recording-listener.ts';
import { type Conditions, NO_FAULTS, type PathConditions } from '../../../simulation/first-boot/plan.ts';
import { SimulatedServer } from '../../../simulation/first-boot/simulated-server.ts';
import { GATEWAY, STRATEGIES } from '../../../simulation/first-boot/strategies.ts';
import { SeededRandom } from '../../../simulation/seeded-random.ts';
import { Trace } from '../../../simulation/trace.ts';
import { VirtualNetwork } from '../../../simulation/virtual-network.ts';
import { VirtualTime } from '../../../simulation/virtual-time.ts';

/** As long as a generated token. */
export const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUYabcd');
/** Before listening again, as after a few failures, ms. */
const RETRY_MS = 60_000;

export class VirtualDownlink implements AsyncDisposable {
  readonly time = new VirtualTime();
  readonly heard = new RecordingListener();
  readonly network: VirtualNetwork;
  readonly server: SimulatedServer;
  readonly transport: CoapTransport;
  readonly ends: string[] = [];
  /** UDP payload in both directions. */
  bytes = 0;
  readonly #stop = new AbortController();
  /** The NAT translates a source port to one this much higher. */
  #natOffset = 0;

  constructor(seed = 1) {
    const random = new SeededRandom(seed);
    const { time } = this;
    const trace = new Trace(() => time.nowMs, false);
    const count = (_port: number, { length }: Buffer) => {
      this.bytes += length;
    };
    const observer = { onGatewaySend: count, onServerSend: count };
    this.network = new VirtualNetwork({ time, trace, random, observer });
    const strategy = STRATEGIES['allow-create/device-generated'];
    this.server = new SimulatedServer({ time, trace, random, network: this.network }, strategy, 'separate');
    this.server.core.admin.createDevice({ name: GATEWAY.name, token: TOKEN.reveal() });
    this.#insertNat();
    const clock = time.clock(Date.UTC(2026, 0, 1));
    this.transport = new CoapTransport(
      { host: GATEWAY.host, port: GATEWAY.port },
      {
        clock,
        random: { uniform: () => random.random() },
        openSocket: () => this.network.openSocket((act) => act()),
        ownAddresses: () => 'one',
      },
    );
    void this.#listen(clock);
  }

  get conditions(): Conditions {
    return this.network.conditions;
  }

  set conditions(conditions: Conditions) {
    this.network.conditions = conditions;
    this.server.setConditions(conditions);
  }

  /** The NAT forgets its mapping: the gateway gets a new port, and nothing reaches it through the old one. */
  rebindNat(): void {
    this.#natOffset += 10_000;
  }

  /** Another process with the same access token registers, so that the server ends the observations of this one. */
  takeOver(): void {
    for (const [messageId, resource] of ['attributes', 'rpc'].entries()) {
      const options = ['api', 'v1', TOKEN.reveal(), resource].map((segment) => ({
        name: 'Uri-Path' as const,
        value: Buffer.from(segment),
      }));
      const bytes = generate({
        code: '0.01',
        messageId,
        confirmable: true,
        token: Buffer.from([messageId]),
        options: [{ name: 'Observe', value: Buffer.alloc(0) }, ...options],
      });
      this.network.toServer(bytes, { address: '203.0.113.9', port: 5_683 });
    }
  }

  setAttributes(values: Readonly<Record<string, unknown>>): void {
    this.server.core.admin.setSharedAttributes(GATEWAY.name, JSON.stringify(values));
  }

  /** Sends a command that waits on the server for `waitMs` at most. */
  sendCommand(method: string, waitMs = 600_000): void {
    void this.server.core.admin.sendRpc(GATEWAY.name, { method, oneWay: true, timeoutMs: waitMs });
  }

  async run(ms: number, isOver?: () => boolean): Promise<void> {
    await this.time.run(this.time.nowMs + ms, isOver);
  }

  /** Time until a command that is sent now arrives, ms; infinity if it does not within ten minutes. */
  async commandTakesMs(method: string): Promise<number> {
    const startedMs = this.time.nowMs;
    const hasArrived = () => this.heard.commands.some((command) => command.method === method);
    this.sendCommand(method);
    await this.run(600_000, hasArrived);
    return hasArrived() ? this.time.nowMs - startedMs : Number.POSITIVE_INFINITY;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.server.stop();
    const disposed = this.transport[Symbol.asyncDispose]();
    await this.run(1_000);
    await disposed;
  }

  async #listen(clock: ReturnType<VirtualTime['clock']>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const subscriptions = { attributes: true, commands: true };
      const end = await this.transport.listen(TOKEN, subscriptions, this.heard, signal);
      this.ends.push(end.ok ? 'ok' : end.failure.reason);
      await clock.sleep(end.ok ? 1_000 : RETRY_MS, signal);
    }
  }

  #insertNat(): void {
    const { network } = this;
    const { toServer } = network;
    const sendToGateway = network.sendToGateway.bind(network);
    network.toServer = (bytes, { address, port }) =>
      toServer(bytes, { address, port: port + this.#natOffset });
    network.sendToGateway = (port, bytes) => {
      const mapped = port - this.#natOffset;
      // The gateway's own ports are in a range of 10,000.
      if (mapped >= 32_768 && mapped < 42_768) sendToGateway(mapped, bytes);
    };
  }
}

/** One direction of a network. */
export function pathOf(lostShare: number, delayMsMin: number, delayMsMax: number): PathConditions {
  return { lostShare, doubledShare: 0, lateShare: 0, lateMsMax: 0, delayMsMin, delayMsMax };
}

const LOSSY_PATH: PathConditions = {
  ...pathOf(0.2, 20, 200),
  doubledShare: 0.1,
  lateShare: 0.1,
  lateMsMax: 5_000,
};
export const LOSSY: Conditions = { ...NO_FAULTS, up: LOSSY_PATH, down: LOSSY_PATH };

/**
 * The server of a simulation: the core and the CoAP endpoint of the sandbox, in virtual time, with a recorder
 * between them.
 *
 * The recorder holds the requests to the core, its decisions, and the stored telemetry, by which the run is
 * checked. As with a real server, a restart loses message IDs and keeps devices. While `broken`, every
 * request gets 5.00 and is not executed.
 */

import { ServerInstance } from '../../../src/sandbox/coap/server-instance.ts';
import { defaultSettings } from '../../../src/sandbox/coap/settings.ts';
import { openCore, type SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import type { DeviceListener, SandboxCore } from '../../../src/sandbox/core/model/types.ts';
import { readHeader } from '../datagram-text.ts';
import { override } from '../override.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Trace } from '../trace.ts';
import type { VirtualNetwork } from '../virtual-network.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Conditions } from './plan.ts';
import { GATEWAY, type Strategy } from './strategies.ts';

const WALL_MS = Date.UTC(2026, 0, 1);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export interface ServerPorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
}

/** The provisioning request that created the device, or marked it as provisioned. */
export interface GrantedRequest {
  readonly atMs: number;
  readonly port: number;
  readonly messageId: number;
  /** False if the core exceeded the time-out of its transport, which then responded with 5.00. */
  isAnswered?: boolean;
}

export class SimulatedServer {
  readonly core: SandboxCoreWithAdmin;
  granted: GrantedRequest | undefined;
  /** When it restarted, ms. */
  readonly restartsMs: number[] = [];
  /** Called with the body of all stored telemetry. */
  onStored: (body: string) => void = () => {};
  /** Sees the commands of an observation. */
  onSubscribe: (listener: DeviceListener) => DeviceListener = (listener) => listener;
  /** The gateway has acknowledged a command. */
  onDelivered: (id: number) => void = () => {};
  readonly #ports: ServerPorts;
  readonly #strategy: Strategy;
  readonly #random: SeededRandom;
  #broken = false;
  /** The datagram that is being processed. */
  #pending = { port: 0, messageId: 0 };
  #instance: ServerInstance;

  constructor(ports: ServerPorts, strategy: Strategy, kindA: 'separate' | 'piggyback') {
    const { time, trace, random, network } = ports;
    this.#ports = ports;
    this.#strategy = strategy;
    this.#random = random.fork();
    const tokens = random.fork();
    this.core = openCore({
      provisioning: { key: GATEWAY.key, secret: GATEWAY.secret },
      knobs: { strategy: strategy.profile, kindA, seed: random.integer(0, 0xffff_ffff) },
      clock: {
        nowMs: () => WALL_MS + time.nowMs,
        // Never aborted here: the core outlives the run.
        sleep: (ms) => new Promise((resolve) => void time.after(ms, resolve)),
      },
      generateToken: () => Array.from({ length: 20 }, () => ALPHABET.charAt(tokens.integer(0, 61))).join(''),
      log: (line) => trace.add(`server: ${line}`),
    });
    if (strategy.profile === 'pre-provisioned') this.core.admin.createDevice({ name: GATEWAY.name });
    this.#instance = this.#createInstance();
    network.toServer = (bytes, from) => {
      this.#pending = { port: from.port, messageId: readHeader(bytes).messageId };
      this.#instance.receive(bytes, from);
    };
  }

  /** The token of the gateway on the server; undefined while the device does not exist. */
  get token(): string | undefined {
    const device = this.core.devices().find(({ name }) => name === GATEWAY.name);
    return device?.credentials.type === 'ACCESS_TOKEN' ? device.credentials.token : undefined;
  }

  setConditions({ coreMsMin, coreMsMax, broken, disabled }: Conditions): void {
    this.#broken = broken;
    this.core.knobs.coreLatencyMinMs = coreMsMin;
    this.core.knobs.coreLatencyMaxMs = coreMsMax;
    this.core.knobs.strategy = disabled ? 'disabled' : this.#strategy.profile;
  }

  restart(downMs: number): void {
    const { time, trace, network } = this.#ports;
    trace.add(`server: down for ${downMs.toFixed(0)} ms`);
    this.#instance.stop();
    this.core.admin.restart();
    this.restartsMs.push(time.nowMs);
    network.isServerDown = true;
    time.after(downMs, () => {
      network.isServerDown = false;
      this.#instance = this.#createInstance();
    });
  }

  stop(): void {
    this.#instance.stop();
    this.core.close();
  }

  #createInstance(): ServerInstance {
    const { time, trace, network } = this.#ports;
    return new ServerInstance({
      core: this.#recordingCore(),
      send: ({ port }, datagram) => network.sendToGateway(port, datagram),
      settings: {
        ...defaultSettings,
        startTimer: (action, ms) => time.after(ms, action),
        nowMs: () => time.nowMs,
        random: () => this.#random.random(),
      },
      log: (line) => trace.add(`server: ${line}`),
    });
  }

  #recordingCore(): SandboxCore {
    const { core } = this;
    return override<SandboxCore>(core, {
      provision: (body, via) => {
        if (this.#broken) return Promise.resolve({ status: 'unavailable' });
        const successes = this.#successes();
        const granted: GrantedRequest = { atMs: this.#ports.time.nowMs, ...this.#pending };
        const response = core.provision(body, via);
        if (this.#successes() === successes) return response;
        this.granted = granted;
        return response.then((answer) => {
          granted.isAnswered = answer.status === 'answered';
          return answer;
        });
      },
      checkToken: (token) =>
        this.#broken ? Promise.resolve({ status: 'unavailable' }) : core.checkToken(token),
      subscribe: (device, listener) => core.subscribe(device, this.onSubscribe(listener)),
      rpcDelivered: (device, id, isDelivered) => {
        if (isDelivered) this.onDelivered(id);
        core.rpcDelivered(device, id, isDelivered);
      },
      telemetry: async (device, body, via) => {
        const answer = await core.telemetry(device, body, via);
        if (answer.status === 'accepted') this.onStored(body);
        return answer;
      },
    });
  }

  #successes(): number {
    return this.core.admin.stats().requests['provision SUCCESS'] ?? 0;
  }
}

/**
 * The server of a simulation: the sandbox's own core and CoAP endpoint, in virtual time, with a notebook
 * between them.
 *
 * The notebook is what the run is judged by: what the core was asked, what it decided and what it stored. A
 * restart forgets message IDs as a real one does, and devices stay. While `broken`, every request is answered
 * 5.00 and not executed.
 */

import { ServerInstance } from '../../../src/sandbox/coap/server-instance.ts';
import { defaultSettings } from '../../../src/sandbox/coap/settings.ts';
import { openCore, type SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import type { SandboxCore } from '../../../src/sandbox/core/model/types.ts';
import { readHeader } from '../datagram-text.ts';
import { overriding } from '../overriding.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Trace } from '../trace.ts';
import type { VirtualNetwork } from '../virtual-network.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Weather } from './plan.ts';
import { GATEWAY, type Strategy } from './strategies.ts';

const WALL_MS = Date.UTC(2026, 0, 1);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export interface ServerPorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly rng: SeededRandom;
  readonly virtualNetwork: VirtualNetwork;
}

/** The one provisioning request that had an effect. */
export interface Granted {
  readonly atMs: number;
  readonly port: number;
  readonly messageId: number;
  /** False when the core was slower than its transport's patience, which then said 5.00. */
  answered?: boolean;
}

export class SimulatedServer {
  readonly core: SandboxCoreWithAdmin;
  /** The request that made the device, or marked it as provisioned. */
  granted: Granted | undefined;
  /** When it restarted, ms. */
  readonly restartsMs: number[] = [];
  /** Told of every body of telemetry stored. */
  stored: (body: string) => void = () => {};
  readonly #ports: ServerPorts;
  readonly #strategy: Strategy;
  readonly #random: SeededRandom;
  #broken = false;
  /** The datagram that is being worked on. */
  #pending = { port: 0, messageId: 0 };
  #life: ServerInstance;

  constructor(ports: ServerPorts, strategy: Strategy, kindA: 'separate' | 'piggyback') {
    const { time, trace, rng, virtualNetwork: network } = ports;
    this.#ports = ports;
    this.#strategy = strategy;
    this.#random = rng.fork();
    const tokens = rng.fork();
    this.core = openCore({
      provisioning: { key: GATEWAY.key, secret: GATEWAY.secret },
      knobs: { strategy: strategy.profile, kindA, seed: rng.integer(0, 0xffff_ffff) },
      clock: {
        nowMs: () => WALL_MS + time.nowMs,
        // Never aborted here: the core outlives the run.
        sleep: (ms) => new Promise((resolve) => void time.after(ms, resolve)),
      },
      generateToken: () => Array.from({ length: 20 }, () => ALPHABET.charAt(tokens.integer(0, 61))).join(''),
      log: (line) => trace.add(`server: ${line}`),
    });
    if (strategy.profile === 'pre-provisioned') this.core.admin.createDevice({ name: GATEWAY.name });
    this.#life = this.#createdAtMs();
    network.toServer = (bytes, from) => {
      this.#pending = { port: from.port, messageId: readHeader(bytes).messageId };
      this.#life.receive(bytes, from);
    };
  }

  /** The token the server takes for the gateway; undefined while there is no such device. */
  get token(): string | undefined {
    const device = this.core.devices().find(({ name }) => name === GATEWAY.name);
    return device?.credentials.type === 'ACCESS_TOKEN' ? device.credentials.token : undefined;
  }

  setWeather({ coreMsMin, coreMsMax, broken, disabled }: Weather): void {
    this.#broken = broken;
    this.core.knobs.coreLatencyMinMs = coreMsMin;
    this.core.knobs.coreLatencyMaxMs = coreMsMax;
    this.core.knobs.strategy = disabled ? 'disabled' : this.#strategy.profile;
  }

  restart(downMs: number): void {
    const { time, trace, virtualNetwork: network } = this.#ports;
    trace.add(`server: down for ${downMs.toFixed(0)} ms`);
    this.#life.stop();
    this.core.admin.restart();
    this.restartsMs.push(time.nowMs);
    network.serverDown = true;
    time.after(downMs, () => {
      network.serverDown = false;
      this.#life = this.#createdAtMs();
    });
  }

  stop(): void {
    this.#life.stop();
    this.core.close();
  }

  #createdAtMs(): ServerInstance {
    const { time, trace, virtualNetwork: network } = this.#ports;
    return new ServerInstance({
      core: this.#recorded(),
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

  #recorded(): SandboxCore {
    const { core } = this;
    return overriding<SandboxCore>(core, {
      provision: (body, via) => {
        if (this.#broken) return Promise.resolve({ status: 'unavailable' });
        const successes = this.#successes();
        const granted: Granted = { atMs: this.#ports.time.nowMs, ...this.#pending };
        const answering = core.provision(body, via);
        if (this.#successes() === successes) return answering;
        this.granted = granted;
        return answering.then((answer) => {
          granted.answered = answer.status === 'answered';
          return answer;
        });
      },
      checkToken: (token) =>
        this.#broken ? Promise.resolve({ status: 'unavailable' }) : core.checkToken(token),
      telemetry: async (device, body, via) => {
        const answer = await core.telemetry(device, body, via);
        if (answer.status === 'accepted') this.stored(body);
        return answer;
      },
    });
  }

  #successes(): number {
    return this.core.admin.stats().requests['provision SUCCESS'] ?? 0;
  }
}

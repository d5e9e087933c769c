/**
 * The gateway of a simulation: one disk, and the processes of the real agent that run on it one after the
 * other.
 *
 * After a power cut or a kill a process has no more effect outside its memory: its pending calls never
 * resolve, its sockets are closed, its timers never fire. Only the disk and datagrams under way survive.
 */

import type { AgentSettings } from '../../../src/agent/agent.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { PowerCutDisk } from '../../doubles/power-cut/power-cut-disk.ts';
import type { RecordingLogger } from '../../doubles/recording-logger.ts';
import type { RemoteGateway } from '../downlink/remote-gateway.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Trace } from '../trace.ts';
import type { VirtualNetwork } from '../virtual-network.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { BootDownlink } from './boot-downlink.ts';
import type { Ending, Plan } from './plan.ts';
import type { Plant } from './planted-bugs.ts';
import type { PromiseChecker } from './promise-checker.ts';
import { type ProcessPorts, SimulatedProcess } from './simulated-process.ts';
import { GATEWAY, type Strategy } from './strategies.ts';

export interface GatewayPorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly random: SeededRandom;
  readonly disk: PowerCutDisk;
  readonly network: VirtualNetwork;
  readonly checker: PromiseChecker;
  readonly downlink: BootDownlink;
}

/** The maximum duration of a stop, ms; the unit allows 15 s. */
const STOP_MS_MAX = 5_000;

export class Gateway {
  /** Number of starts of the agent. */
  starts = 0;
  /** When it is powered on again, ms; in the past while it is on. */
  backMs = 0;
  readonly #ports: GatewayPorts & ProcessPorts;
  readonly #settings: AgentSettings;
  readonly #endings: Ending[];
  #agent: SimulatedProcess | undefined;
  #cancelEnding = () => {};

  constructor(ports: GatewayPorts, strategy: Strategy, plan: Plan, plant: Plant | undefined) {
    this.#ports = { ...ports, plant };
    this.#endings = [...plan.endings];
    this.#settings = {
      server: GATEWAY.server,
      deviceName: GATEWAY.name,
      spreadMs: plan.spreadMs,
      sampleEveryMs: plan.sampleEveryMs,
      drainPerS: 10,
      pair: {
        key: GATEWAY.key,
        secret: new Secret(GATEWAY.secret),
        deviceGenerated: strategy.credentials === 'device-generated',
      },
    };
  }

  /** The log of the current process. */
  get log(): RecordingLogger | undefined {
    return this.#agent?.log;
  }

  /** The settings and commands of the current process. */
  get remote(): RemoteGateway | undefined {
    return this.#agent?.gateway;
  }

  powerOn(): void {
    this.starts += 1;
    this.#ports.trace.add(`gateway: start ${this.starts}`);
    const agent = new SimulatedProcess(this.starts, this.#ports);
    this.#agent = agent;
    const ending = this.#endings.shift();
    if (ending) this.#arm(agent, ending);
    agent.run(this.#settings);
  }

  /** No further endings: the gateway stays on, or comes back and stays on. */
  endFaults(): void {
    this.#endings.length = 0;
    this.#cancelEnding();
  }

  /** Ends the run, because the real timers of the CoAP library must not outlive it. */
  dispose(): void {
    this.#agent?.die();
  }

  #arm(agent: SimulatedProcess, ending: Ending): void {
    const end = () => this.#end(agent, ending);
    if ('ms' in ending.after) this.#cancelEnding = this.#ports.time.after(ending.after.ms, end);
    else {
      // A process that is asked to stop finishes its current act.
      const { acts, before } = ending.after;
      this.#cancelEnding = agent.endAtAct(acts, before && ending.kind !== 'stop', end);
    }
  }

  #end(agent: SimulatedProcess, { kind, pauseMs }: Ending): void {
    const { time, trace, disk, network, checker, downlink } = this.#ports;
    trace.add(`gateway: ${kind}`);
    const offMs = kind === 'stop' ? STOP_MS_MAX : pauseMs;
    this.backMs = time.nowMs + offMs;
    if (kind === 'stop') agent.stop();
    else agent.die();
    downlink.onEnd(agent.number);
    if (kind === 'power') {
      disk.cutPower();
      downlink.disk.cutPower(() => this.#ports.random.isTrue(0.5));
    }
    time.after(offMs, () => {
      if (kind === 'stop' && !agent.isOver)
        checker.report('stops in time', `still running after ${STOP_MS_MAX} ms`);
      agent.die();
      network.removeSockets();
      this.powerOn();
    });
  }
}

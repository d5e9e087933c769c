/**
 * The gateway of a simulation: one disk, and one life of the real agent after another on it.
 *
 * A life that ends by a power cut or a kill acts no more on anything outside its memory: what it still awaits never comes,
 * its sockets are gone, its timers wake nobody. What survives is the disk's to say, and what is on the road.
 */

import type { AgentSettings } from '../../../src/agent/agent.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { PowerCutDisk } from '../../doubles/power-cut-disk.ts';
import type { RecordingLogger } from '../../doubles/recording-logger.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Trace } from '../trace.ts';
import type { VirtualNetwork } from '../virtual-network.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { Life, type LifePorts } from './life.ts';
import type { Ending, Plan } from './plan.ts';
import type { Plant } from './planted-bugs.ts';
import type { PromiseChecker } from './promise-checker.ts';
import { GATEWAY, type Strategy } from './strategies.ts';

export interface GatewayPorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly rng: SeededRandom;
  readonly disk: PowerCutDisk;
  readonly network: VirtualNetwork;
  readonly checker: PromiseChecker;
}

/** Longest time from the wish to stop to the end, ms; systemd kills after 90 s. */
const STOP_MS = 5_000;

export class Gateway {
  /** How many lives it has had. */
  lives = 0;
  /** When it is powered on again, ms; in the past while it is on. */
  backMs = 0;
  readonly #ports: GatewayPorts & LifePorts;
  readonly #settings: AgentSettings;
  readonly #endings: Ending[];
  #life: Life | undefined;
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

  /** What the present life has told. */
  get log(): RecordingLogger | undefined {
    return this.#life?.log;
  }

  powerOn(): void {
    this.lives += 1;
    this.#ports.trace.add(`gateway: life ${this.lives}`);
    const life = new Life(this.lives, this.#ports);
    this.#life = life;
    const ending = this.#endings.shift();
    if (ending) this.#arm(life, ending);
    life.run(this.#settings);
  }

  /** From now on it stays alive, or comes back for good. */
  heal(): void {
    this.#endings.length = 0;
    this.#cancelEnding();
  }

  /** Ends the run: the library's real timers must not outlive it. */
  dispose(): void {
    this.#life?.die();
  }

  #arm(life: Life, ending: Ending): void {
    const end = () => this.#end(life, ending);
    if ('ms' in ending.after) this.#cancelEnding = this.#ports.time.after(ending.after.ms, end);
    else {
      // Who is asked to stop finishes what it is at.
      const { acts, before } = ending.after;
      this.#cancelEnding = life.endAtAct(acts, before && ending.how !== 'stop', end);
    }
  }

  #end(life: Life, { how, pauseMs }: Ending): void {
    const { time, trace, disk, network, checker } = this.#ports;
    trace.add(`gateway: ${how}`);
    const offMs = how === 'stop' ? STOP_MS : pauseMs;
    this.backMs = time.nowMs + offMs;
    if (how === 'stop') life.stop();
    else life.die();
    if (how === 'power') disk.cutPower();
    time.after(offMs, () => {
      if (how === 'stop' && !life.isOver)
        checker.report('stops when asked', `not stopped ${STOP_MS} ms later`);
      life.die();
      network.forgetSockets();
      this.powerOn();
    });
  }
}

/**
 * One life of the gateway's process: the real agent and the real CoAP road, on a disk, a clock and a network that obey only
 * while the life lasts.
 *
 * Everything the process does to the world outside its memory is an act: a datagram sent or received, a step of a write, a
 * sleep that ends. A life can be made to end at its n-th act, just before or just after it, so that no gap between two lines
 * is too short to be hit.
 */

import { type AgentSettings, runAgent } from '../../../src/agent/agent.ts';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import type { Random } from '../../../src/core/ports/random.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';
import { Timestamper } from '../../../src/core/timestamps/timestamper.ts';
import { TieredOutbox } from '../../../src/outbox/outbox.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import type { DiskOperation, PowerCutDisk } from '../../doubles/power-cut-disk.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { overriding } from '../overriding.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Trace } from '../trace.ts';
import type { VirtualNetwork } from '../virtual-network.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { type Plant, planted } from './planted-bugs.ts';
import type { Call, PromiseChecker } from './promise-checker.ts';
import { GATEWAY } from './strategies.ts';

export interface LifePorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly rng: SeededRandom;
  readonly disk: PowerCutDisk;
  readonly network: VirtualNetwork;
  readonly checker: PromiseChecker;
  readonly plant: Plant | undefined;
}

/** Where the wall clock of a host without a battery may stand, ms beside the true time. */
const WALL_MS = Date.UTC(2026, 0, 1);
const WRONG_BY_MS = [-WALL_MS, -3 * 86_400_000, 0, 0, 0, 0, 86_400_000] as const;
const ALWAYS_SYNCHRONISED = { isSynchronised: async () => true, confirmsStep: async () => true };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export class Life {
  readonly log = new RecordingLogger();
  isOver = false;
  readonly #number: number;
  readonly #ports: LifePorts;
  readonly #rng: SeededRandom;
  readonly #stop = new AbortController();
  #alive = true;
  #ending: { acts: number; readonly before: boolean; readonly end: () => void } | undefined;

  constructor(number: number, ports: LifePorts) {
    this.#number = number;
    this.#ports = ports;
    this.#rng = ports.rng.fork();
  }

  /** `end` is called at the `acts`-th act from now, which happens only if not `before`. Returns how to call it off. */
  endAtAct(acts: number, before: boolean, end: () => void): () => void {
    this.#ending = { acts, before, end };
    return () => {
      this.#ending = undefined;
    };
  }

  run(settings: AgentSettings): void {
    const { checker, trace } = this.#ports;
    runAgent(this.#agentPorts(settings), settings, this.#stop.signal).then(
      () => {
        this.isOver = true;
      },
      (error: unknown) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        trace.add('gateway: the agent threw');
        if (this.#alive) checker.report('never throws', why);
      },
    );
  }

  stop(): void {
    this.#stop.abort();
  }

  /** At once, and for ever. */
  die(): void {
    this.#alive = false;
    // Only so that the library's own timers end; a little later, because this may be in the middle of an act.
    queueMicrotask(() => this.#stop.abort());
  }

  readonly #act: DiskOperation = (effect) => {
    if (!this.#alive) return;
    const ending = this.#ending;
    if (ending === undefined) return effect();
    ending.acts -= 1;
    if (ending.acts > 0) return effect();
    this.#ending = undefined;
    if (!ending.before) effect();
    ending.end();
  };

  #agentPorts(settings: AgentSettings) {
    const { time, disk, network, plant } = this.#ports;
    const wrongBy = WRONG_BY_MS[this.#rng.integer(0, WRONG_BY_MS.length - 1)] ?? 0;
    const clock = this.#killable(time.clock(WALL_MS + time.nowMs + wrongBy));
    const random = this.#createRandom();
    const transport = new CoapTransport(
      { host: GATEWAY.host, port: GATEWAY.port },
      { clock, random, openSocket: () => network.openSocket(this.#act), ownAddresses: () => 'one' },
    );
    const { log } = this;
    const timestamper = new Timestamper(
      { clock, log, timeSync: ALWAYS_SYNCHRONISED },
      { trust: 'synchronised' },
    );
    const stamp = () => timestamper.now();
    let count = 0;
    return planted(
      {
        clock,
        random: random,
        store: disk.open(this.#act),
        transport: this.#checked(transport),
        // Without a disk: what becomes of readings is another simulation's question.
        outbox: new TieredOutbox(
          { clock, log, losses: new LossReport(), now: stamp },
          { spoolAfterMs: 60_000, flushEveryMs: 60_000 },
        ),
        timestamper: timestamper,
        sensors: {
          sample: async () => {
            count += 1;
            return { life: this.#number, count };
          },
        },
        facts: { gather: async () => ({ every: settings.sampleEveryMs }) },
        log,
      },
      plant,
    );
  }

  /** A sleep that ends is an act; in a dead process none does. */
  #killable(clock: Clock): Clock {
    return overriding(clock, {
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          void clock.sleep(ms, signal).then(() => this.#act(resolve));
        }),
    });
  }

  #createRandom(): Random {
    const rng = this.#rng;
    return {
      uniform: () => rng.random(),
      mintToken: () =>
        new Secret(Array.from({ length: 24 }, () => ALPHABET.charAt(rng.integer(0, 61))).join('')),
    };
  }

  /** Tells the witness of every provisioning call, so that a stranding can be traced to its cause. */
  #checked(transport: Transport): Transport {
    const { checker, time, trace } = this.#ports;
    return overriding(transport, {
      provision: async (request, keep, signal) => {
        const call: Call = { life: this.#number };
        checker.call = call;
        let how: NonNullable<Call['how']> = 'store failed';
        try {
          const result = await transport.provision(request, keep, signal);
          how = result.ok ? 'issued' : result.failure.reason;
          return result;
        } finally {
          if (this.#alive) {
            Object.assign(call, { how, endedMs: time.nowMs });
            trace.add(`gateway: provision ended: ${how}`);
          }
        }
      },
    });
  }
}

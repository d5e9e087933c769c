/**
 * One process of the real agent with its real CoAP transport, on a disk, a clock and a network that stop to
 * respond when the process dies.
 *
 * Every effect outside its memory is an act: a datagram sent or received, a step of a write, a sleep that
 * ends. A process can end at its n-th act, just before or just after it, so that a run can hit every gap
 * between two lines.
 */

import {
  type AgentPorts,
  type AgentSettings,
  runBackgroundTasks,
  runLoops,
} from '../../../src/agent/agent.ts';
import type { LoadedConfig } from '../../../src/config/load.ts';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import type { Random } from '../../../src/core/ports/random.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';
import { Timestamper } from '../../../src/core/timestamps/timestamper.ts';
import { TieredOutbox } from '../../../src/outbox/outbox.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import type { DiskOperation, PowerCutDisk } from '../../doubles/power-cut/power-cut-disk.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { cutOffTransport, isCuttingOff } from '../downlink/cut-off-transport.ts';
import { RemoteGateway } from '../downlink/remote-gateway.ts';
import { override } from '../override.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Trace } from '../trace.ts';
import type { VirtualNetwork } from '../virtual-network.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { BootDownlink } from './boot-downlink.ts';
import { type Plant, withPlantedBug } from './planted-bugs.ts';
import type { Call, PromiseChecker } from './promise-checker.ts';
import { GATEWAY } from './strategies.ts';

export interface ProcessPorts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly random: SeededRandom;
  readonly disk: PowerCutDisk;
  readonly network: VirtualNetwork;
  readonly checker: PromiseChecker;
  readonly downlink: BootDownlink;
  readonly plant: Plant | undefined;
}

const WALL_MS = Date.UTC(2026, 0, 1);
/** Errors of the wall clock of a host without a battery, ms. */
const WALL_ERRORS_MS = [-WALL_MS, -3 * 86_400_000, 0, 0, 0, 0, 86_400_000] as const;
const ALWAYS_SYNCHRONISED = { isSynchronised: async () => true, confirmsStep: async () => true };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export class SimulatedProcess {
  readonly log = new RecordingLogger();
  isOver = false;
  gateway: RemoteGateway | undefined;
  readonly number: number;
  readonly #ports: ProcessPorts;
  readonly #random: SeededRandom;
  readonly #stop = new AbortController();
  #isAlive = true;
  #ending: { acts: number; readonly before: boolean; readonly end: () => void } | undefined;

  constructor(number: number, ports: ProcessPorts) {
    this.number = number;
    this.#ports = ports;
    this.#random = ports.random.fork();
  }

  /**
   * Calls `end` at the `acts`-th act from now; `before`: instead of that act. The returned function cancels
   * it.
   */
  endAtAct(acts: number, before: boolean, end: () => void): () => void {
    this.#ending = { acts, before, end };
    return () => {
      this.#ending = undefined;
    };
  }

  run(settings: AgentSettings): void {
    const { checker, trace } = this.#ports;
    this.#runToEnd(settings).then(
      () => {
        this.isOver = true;
      },
      (error: unknown) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        trace.add('gateway: the agent threw');
        if (this.#isAlive) checker.report('never throws', reason);
      },
    );
  }

  async #runToEnd(settings: AgentSettings): Promise<void> {
    const { plant, downlink } = this.#ports;
    const ports = this.#agentPorts(settings);
    const gateway = this.#openGateway(settings, ports);
    this.gateway = gateway;
    const store = override(ports.store, {
      read: async () => {
        const record = await ports.store.read();
        gateway.remote.setTokenStored(record?.state === 'provisioned');
        return record;
      },
      write: async (record) => {
        await ports.store.write(record);
        gateway.remote.setTokenStored(record.state === 'provisioned');
      },
    });
    const runInstance = async (loaded: LoadedConfig, stop: AbortSignal): Promise<void> => {
      for (const lane of [ports.outbox.fresh, ports.outbox.backlog]) lane.rewind();
      const urls = loaded.config.server.endpoints.map(({ url }) => url);
      const endWatch = downlink.onInstance(
        urls,
        this.number,
        () => this.#isAlive && !this.#stop.signal.aborted,
      );
      const [url = ''] = urls;
      await using opened = urls.every(isCuttingOff)
        ? cutOffTransport(url, ports.clock)
        : this.#open(ports.clock, ports.random);
      const transport = gateway.watched(downlink.observed(this.#observed(opened)));
      const instance = withPlantedBug(
        { ...ports, ...(downlink.isOn && gateway.ports), store, transport },
        plant,
      );
      const reprovision = !gateway.remote.isServerOnTrial && settings.reprovision;
      await runLoops(
        instance,
        { ...settings, ...gateway.settings(loaded), ...(reprovision !== undefined && { reprovision }) },
        stop,
      );
      endWatch();
    };
    await gateway.run((stop) => runBackgroundTasks(ports, stop), runInstance, this.#stop.signal);
  }

  #openGateway(
    settings: AgentSettings,
    { clock, random }: Pick<AgentPorts, 'clock' | 'random'>,
  ): RemoteGateway {
    const { downlink, disk, time, plant } = this.#ports;
    return new RemoteGateway({
      clock,
      random,
      log: this.log,
      disk: downlink.disk,
      diskPorts: {
        act: this.#act,
        after: (effect) => time.after(this.#random.random() * disk.stepMsMax, effect),
        fails: () => disk.full,
        onUselessWrite: () => downlink.onUselessWrite(),
      },
      environment: {
        FIRSTLIGHT_SERVER_URL: GATEWAY.server,
        FIRSTLIGHT_SERVER_SPREAD: `${settings.spreadMs / 1000}s`,
        FIRSTLIGHT_TELEMETRY_INTERVAL: `${settings.sampleEveryMs / 1000}s`,
      },
      // Every process has a boot of its own: weeks/ simulates kills within a boot.
      startedCommands: undefined,
      commands: downlink.record.table(this.number, clock),
      plant,
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Dies at once, like a killed process. */
  die(): void {
    this.#isAlive = false;
    // Only to end the timers of the CoAP library; later, because this may run within an act.
    queueMicrotask(() => this.#stop.abort());
  }

  readonly #act: DiskOperation = (effect) => {
    if (!this.#isAlive) return;
    const ending = this.#ending;
    if (ending === undefined) return effect();
    ending.acts -= 1;
    if (ending.acts > 0) return effect();
    this.#ending = undefined;
    if (!ending.before) effect();
    ending.end();
  };

  #agentPorts(settings: AgentSettings) {
    const { time, disk } = this.#ports;
    const wallErrorMs = WALL_ERRORS_MS[this.#random.integer(0, WALL_ERRORS_MS.length - 1)] ?? 0;
    const clock = this.#killableClock(time.clock(WALL_MS + time.nowMs + wallErrorMs));
    const random = this.#createRandom();
    const { log } = this;
    const timestamper = new Timestamper(
      { clock, log, timeSync: ALWAYS_SYNCHRONISED },
      { trust: 'synchronised' },
    );
    const now = () => timestamper.now();
    let count = 0;
    return {
      clock,
      random,
      store: disk.open(this.#act),
      // Without a disk: weeks/ simulates the outbox.
      outbox: new TieredOutbox(
        { clock, log, losses: new LossReport(), now },
        { spoolAfterMs: 60_000, flushEveryMs: 60_000 },
      ),
      timestamper,
      sensors: {
        sample: async () => {
          count += 1;
          return { start: this.number, count };
        },
      },
      facts: { gather: async () => ({ every: settings.sampleEveryMs }) },
      log,
    };
  }

  #open(clock: Clock, random: Random): CoapTransport {
    const { network } = this.#ports;
    return new CoapTransport(
      { host: GATEWAY.host, port: GATEWAY.port },
      { clock, random, openSocket: () => network.openSocket(this.#act), ownAddresses: () => 'one' },
    );
  }

  /** The end of a sleep is an act; a dead process does not wake up. */
  #killableClock(clock: Clock): Clock {
    return override(clock, {
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          void clock.sleep(ms, signal).then(() => this.#act(resolve));
        }),
    });
  }

  #createRandom(): Random {
    const random = this.#random;
    return {
      uniform: () => random.random(),
      mintToken: () =>
        new Secret(Array.from({ length: 24 }, () => ALPHABET.charAt(random.integer(0, 61))).join('')),
    };
  }

  /** Reports every provisioning call to the checker, so that the cause of a stranding can be found. */
  #observed(transport: Transport): Transport {
    const { checker, time, trace } = this.#ports;
    return override(transport, {
      provision: async (request, persist, signal) => {
        const call: Call = { start: this.number };
        checker.call = call;
        let outcome: NonNullable<Call['outcome']> = 'storage failed';
        try {
          const result = await transport.provision(request, persist, signal);
          outcome = result.ok ? 'issued' : result.failure.reason;
          return result;
        } finally {
          if (this.#isAlive) {
            Object.assign(call, { outcome, endedMs: time.nowMs });
            trace.add(`gateway: provision ended: ${outcome}`);
          }
        }
      },
    });
  }
}

/**
 * One process of the whole agent, wired as in src/app/run.ts, on a clock, a network and a disk that stop to
 * respond when the process dies.
 */

import { type AgentPorts, runBackgroundTasks, runLoops } from '../../../../src/agent/agent.ts';
import type { LoadedConfig } from '../../../../src/config/load.ts';
import { LossReport } from '../../../../src/core/model/loss-report.ts';
import { Secret } from '../../../../src/core/model/secret.ts';
import type { Clock } from '../../../../src/core/ports/clock.ts';
import type { LogFields, Logger } from '../../../../src/core/ports/log.ts';
import type { Random } from '../../../../src/core/ports/random.ts';
import type { Transport } from '../../../../src/core/ports/transport.ts';
import { Timestamper } from '../../../../src/core/timestamps/timestamper.ts';
import { TieredOutbox } from '../../../../src/outbox/outbox.ts';
import { Spool } from '../../../../src/outbox/spool/spool.ts';
import { MemoryCredentialStore } from '../../../doubles/memory-credential-store.ts';
import type { PowerCutDirectory } from '../../../doubles/power-cut/power-cut-directory.ts';
import { cutOffTransport, GOOD_URLS, isCuttingOff } from '../../downlink/cut-off-transport.ts';
import { RemoteGateway } from '../../downlink/remote-gateway.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { AgentRecord, Ledger } from '../checks/ledger.ts';
import { observedLossReport, observedOutbox, observedSpool } from '../checks/observers.ts';
import type { Conditions, Ending, WeekPlan } from '../plan/week-plan.ts';
import {
  type Inheritance,
  plantedLosses,
  plantedOutbox,
  plantedSpool,
  plantedTimeSync,
  plantedTransport,
  type WeekPlant,
} from '../planted-bugs.ts';
import type { DownlinkWorld } from './downlink-world.ts';
import type { HostTime } from './host-time.ts';
import { KillableProcess } from './killable-process.ts';
import type { Samples } from './samples.ts';
import { SimulatedDownlink } from './simulated-downlink.ts';
import { SimulatedTransport } from './simulated-transport.ts';
import { WatchedDirectory } from './watched-directory.ts';
import type { WeekServer } from './week-server.ts';

export interface WeekAgentPorts {
  readonly time: VirtualTime;
  readonly host: HostTime;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly disk: PowerCutDirectory;
  readonly server: WeekServer;
  readonly downlink: DownlinkWorld;
  readonly conditions: () => Conditions;
  readonly samples: Samples;
  readonly plan: WeekPlan;
  readonly plant: WeekPlant | undefined;
  readonly inheritance: Inheritance;
}

const [SERVER] = GOOD_URLS;
const TOKEN = new Secret('configured-token');
/** The smallest bound that the agent accepts. */
const SPOOL_BYTES_MIN = 131_072;

export class WeekAgent {
  readonly record: AgentRecord;
  readonly killable = new KillableProcess();
  isOver = false;
  outbox: TieredOutbox | undefined;
  spool: Spool | undefined;
  gateway: RemoteGateway | undefined;
  readonly #ports: WeekAgentPorts;
  readonly #random: SeededRandom;
  readonly #stop = new AbortController();
  /** Called before each sample. */
  readonly #beforeSample: (outbox: TieredOutbox) => void;
  /** Called when loops start with settings on trial. */
  readonly #onTrial: () => void;

  constructor(
    ports: WeekAgentPorts,
    number: number,
    on: { readonly sample: (outbox: TieredOutbox) => void; readonly trial: () => void },
  ) {
    this.#ports = ports;
    this.#random = ports.random.fork();
    this.#beforeSample = on.sample;
    this.#onTrial = on.trial;
    this.record = { number, boot: ports.host.current, startedMs: ports.time.nowMs, unreported: 0 };
    ports.ledger.agents.push(this.record);
  }

  run(): void {
    this.#runToEnd().then(
      () => {
        this.isOver = true;
      },
      (error: unknown) => {
        if (!this.killable.isAlive) return;
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#ports.ledger.reportViolation('never throws', text.split('\n').slice(0, 6).join(' | '));
      },
    );
  }

  stop(): void {
    this.record.stoppedMs = this.#ports.time.nowMs;
    this.#stop.abort();
  }

  /** Dies at once, like a killed process. */
  die(kind: Ending['kind']): void {
    this.killable.isAlive = false;
    this.record.diedMs = this.#ports.time.nowMs;
    this.record.endedBy = kind;
    this.record.unreported = this.outbox?.losses.unreported ?? 0;
  }

  async #runToEnd(): Promise<void> {
    const { plan, plant, ledger, time, inheritance } = this.#ports;
    const { settings } = plan;
    const clock = this.killable.clock(this.#ports.host, () => time.nowMs);
    const log = this.#log();
    const observerPorts = { ledger, time, agent: this.record };
    const losses = plantedLosses(observedLossReport(new LossReport(), observerPorts), plant);
    const timeSync = plantedTimeSync(this.#ports.host.timeSync(clock.sleep), plant);
    const memory = plan.hasRuntimeDirectory ? this.record.boot.memory : undefined;
    const timestamper = new Timestamper({ clock, timeSync, log, memory }, { trust: settings.trust });
    const { spool, watched } = await this.#openSpool(clock, losses, log);
    const { bootOffsetMs } = spool;
    const stored = memory?.load() ?? (bootOffsetMs === undefined ? undefined : { firstMs: bootOffsetMs });
    if (stored && plant !== 'timestamps-restart') timestamper.restore(stored);
    const now = () => timestamper.now();
    const outbox = new TieredOutbox({ clock, log, losses, now, spool: watched }, settings);
    this.outbox = outbox;
    this.spool = spool;
    const gateway = this.#openGateway(clock, log);
    this.gateway = gateway;
    const ports: Omit<AgentPorts, 'transport'> = {
      clock,
      random: this.#createRandom(),
      store: new MemoryCredentialStore(),
      outbox: plantedOutbox(observedOutbox(outbox, observerPorts), plant, inheritance),
      sensors: this.#ports.samples.sensors(this.record, () => this.#beforeSample(outbox)),
      timestamper,
      facts: { gather: async () => ({ agentVersion: 'v-simulated' }) },
      log,
      ...(plan.downlink && gateway.ports),
    };
    const identity = { server: SERVER, deviceName: 'gw', token: TOKEN };
    const runInstance = async (loaded: LoadedConfig, stop: AbortSignal): Promise<void> => {
      for (const lane of [ports.outbox.fresh, ports.outbox.backlog]) lane.rewind();
      const urls = loaded.config.server.endpoints.map(({ url }) => url);
      const endWatch = this.#ports.downlink.onInstance(urls, this.record);
      if (gateway.remote.isOnTrial) this.#onTrial();
      const transport = gateway.watched(this.#open(urls, clock));
      const instance = { ...ports, transport: plantedTransport(transport, plant) };
      await runLoops(instance, { ...gateway.settings(loaded), ...identity }, stop);
      endWatch();
    };
    const background = (stop: AbortSignal) => runBackgroundTasks(ports, stop);
    await gateway.run(background, runInstance, this.#stop.signal);
    await outbox.close();
    await spool[Symbol.asyncDispose]();
  }

  #openGateway(clock: Clock, log: Logger): RemoteGateway {
    const { plan, plant, downlink, disk } = this.#ports;
    const { settings } = plan;
    const act = (effect: () => void) => this.killable.act('disk', effect);
    const gateway = new RemoteGateway({
      clock,
      random: this.#createRandom(),
      log,
      disk: downlink.disk,
      diskPorts: downlink.diskPorts(disk, plan.diskStepMsMax, act),
      environment: {
        FIRSTLIGHT_SERVER_URL: SERVER,
        FIRSTLIGHT_SERVER_SPREAD: `${settings.spreadMs / 1000}s`,
        FIRSTLIGHT_DEVICE_TOKEN: TOKEN.reveal(),
        FIRSTLIGHT_TELEMETRY_INTERVAL: `${settings.sampleEveryMs / 1000}s`,
        FIRSTLIGHT_TELEMETRY_DRAIN_RATE: String(settings.drainPerS),
      },
      startedCommands: plan.hasRuntimeDirectory ? downlink.startedCommands(clock.bootId) : undefined,
      commands: downlink.record.table(this.record.number, clock),
      plant,
    });
    gateway.remote.setTokenStored(true);
    downlink.onStart(gateway, this.record);
    return gateway;
  }

  #open(urls: readonly string[], clock: Clock): Transport {
    const [url = ''] = urls;
    return urls.every(isCuttingOff) ? cutOffTransport(url, clock) : this.#transport(clock);
  }

  async #openSpool(clock: Clock, losses: LossReport, log: Logger) {
    const { plan, plant, time, ledger, disk } = this.#ports;
    const { settings } = plan;
    const { spoolBytesMax: bytesMax, freeShare } = settings;
    const reason = { now: 0 };
    disk.syncs = plant !== 'no-fsync';
    const directory = new WatchedDirectory(
      {
        time,
        ledger,
        disk,
        random: this.#random,
        act: (effect) => this.killable.act('disk', effect),
        mayWrite: () => reason.now > 0 || this.record.stoppedMs !== undefined,
      },
      plan.diskStepMsMax,
      Math.max(bytesMax, SPOOL_BYTES_MIN),
    );
    const spool = await Spool.open({ directory, bootId: clock.bootId, bytesMax, freeShare, losses, log });
    return { spool, watched: observedSpool(plantedSpool(spool, plant), { ledger, clock, reason, settings }) };
  }

  #transport(clock: Clock): SimulatedTransport {
    const { plan, downlink } = this.#ports;
    const ports = {
      ...this.#ports,
      act: (effect: () => void) => this.killable.act('network', effect),
      agent: this.record,
    };
    const { server, record } = downlink;
    const actOfDownlink = (effect: () => void) => this.killable.act('downlink', effect);
    return new SimulatedTransport({
      ...ports,
      actOfDownlink,
      random: this.#random.fork(),
      settings: plan.settings,
      onAttributes: (body) => server.onAttributes(body),
      downlink: new SimulatedDownlink({
        ...ports,
        act: actOfDownlink,
        clock,
        random: this.#random.fork(),
        downlink: server,
        record,
      }),
    });
  }

  #createRandom(): Random {
    const random = this.#random.fork();
    return {
      uniform: () => random.random(),
      mintToken: () => {
        throw new Error('WeekAgent: no token to generate');
      },
    };
  }

  #log(): Logger {
    const { ledger } = this.#ports;
    const traceAt = (level: string) => (message: string, fields?: LogFields) =>
      ledger.trace(
        `agent ${this.record.number} ${level}: ${message} ${fields ? JSON.stringify(fields) : ''}`,
      );
    return { debug: () => {}, info: traceAt('info'), warn: traceAt('warn'), error: traceAt('error') };
  }
}

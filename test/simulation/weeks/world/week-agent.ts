/**
 * One process of the whole agent, wired as in src/app/run.ts, on a clock, a network and a disk that stop to
 * respond when the process dies.
 */

import { type AgentPorts, runAgent } from '../../../../src/agent/agent.ts';
import { LossReport } from '../../../../src/core/model/loss-report.ts';
import { Secret } from '../../../../src/core/model/secret.ts';
import type { Clock } from '../../../../src/core/ports/clock.ts';
import type { LogFields, Logger } from '../../../../src/core/ports/log.ts';
import type { Random } from '../../../../src/core/ports/random.ts';
import { Timestamper } from '../../../../src/core/timestamps/timestamper.ts';
import { TieredOutbox } from '../../../../src/outbox/outbox.ts';
import { Spool } from '../../../../src/outbox/spool/spool.ts';
import { MemoryCredentialStore } from '../../../doubles/memory-credential-store.ts';
import type { PowerCutDirectory } from '../../../doubles/power-cut/power-cut-directory.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { AgentRecord, Ledger } from '../checks/ledger.ts';
import { observedLossReport, observedOutbox, observedSpool } from '../checks/observers.ts';
import type { Conditions, Ending, WeekPlan } from '../plan/week-plan.ts';
import {
  type Inheritance,
  plantedLosses,
  plantedOutbox,
  plantedTimeSync,
  plantedTransport,
  type WeekPlant,
} from '../planted-bugs.ts';
import type { HostTime } from './host-time.ts';
import { KillableProcess } from './killable-process.ts';
import type { Samples } from './samples.ts';
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
  readonly conditions: () => Conditions;
  readonly samples: Samples;
  readonly plan: WeekPlan;
  readonly plant: WeekPlant | undefined;
  readonly inheritance: Inheritance;
}

const TOKEN = new Secret('configured-token');
/** The smallest bound that the agent accepts. */
const SPOOL_BYTES_MIN = 131_072;

export class WeekAgent {
  readonly record: AgentRecord;
  readonly killable = new KillableProcess();
  isOver = false;
  outbox: TieredOutbox | undefined;
  readonly #ports: WeekAgentPorts;
  readonly #random: SeededRandom;
  readonly #stop = new AbortController();
  /** Called before each sample. */
  readonly #beforeSample: (outbox: TieredOutbox) => void;

  constructor(ports: WeekAgentPorts, number: number, beforeSample: (outbox: TieredOutbox) => void) {
    this.#ports = ports;
    this.#random = ports.random.fork();
    this.#beforeSample = beforeSample;
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
    const ports: AgentPorts = {
      clock,
      random: this.#createRandom(),
      store: new MemoryCredentialStore(),
      transport: plantedTransport(this.#transport(), plant),
      outbox: plantedOutbox(observedOutbox(outbox, observerPorts), plant, inheritance),
      sensors: this.#ports.samples.sensors(this.record, () => this.#beforeSample(outbox)),
      timestamper,
      facts: { gather: async () => ({ agentVersion: 'v-simulated' }) },
      log,
    };
    const identity = { server: 'coap://192.0.2.7:5683', deviceName: 'gw', token: TOKEN };
    await runAgent(ports, { ...settings, ...identity }, this.#stop.signal);
    await outbox.close();
    await spool[Symbol.asyncDispose]();
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
    return { spool, watched: observedSpool(spool, { clock, reason, settings }) };
  }

  #transport(): SimulatedTransport {
    const { time, ledger, server, conditions, plan } = this.#ports;
    return new SimulatedTransport({
      time,
      ledger,
      server,
      conditions,
      random: this.#random.fork(),
      act: (effect) => this.killable.act('network', effect),
      agent: this.record,
      settings: plan.settings,
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

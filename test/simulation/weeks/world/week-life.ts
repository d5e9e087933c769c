/**
 * One life of the process: the whole agent, wired as cli/run.ts wires it, on a clock, a road and a disk that obey only while
 * the life lasts.
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
import type { PowerCutDirectory } from '../../../doubles/power-cut-directory.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { Ledger, LifeRecord } from '../checks/ledger.ts';
import { observedLossReport, observedOutbox, observedSpool } from '../checks/observers.ts';
import type { Ending, Weather, WeekPlan } from '../plan/week-plan.ts';
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

export interface LifePorts {
  readonly time: VirtualTime;
  readonly host: HostTime;
  readonly rng: SeededRandom;
  readonly ledger: Ledger;
  readonly disk: PowerCutDirectory;
  readonly server: WeekServer;
  readonly weather: () => Weather;
  readonly samples: Samples;
  readonly plan: WeekPlan;
  readonly plant: WeekPlant | undefined;
  readonly legacy: Inheritance;
}

const TOKEN = new Secret('given-by-the-operator');
/** The agent takes no smaller bound. */
const SPOOL_BYTES_MIN = 131_072;

export class WeekLife {
  readonly record: LifeRecord;
  readonly killable = new KillableProcess();
  isOver = false;
  outbox: TieredOutbox | undefined;
  readonly #ports: LifePorts;
  readonly #rng: SeededRandom;
  readonly #stop = new AbortController();
  /** Called at each sample, before it. */
  readonly #atSample: (outbox: TieredOutbox) => void;

  constructor(ports: LifePorts, number: number, atSample: (outbox: TieredOutbox) => void) {
    this.#ports = ports;
    this.#rng = ports.rng.fork();
    this.#atSample = atSample;
    this.record = { number, boot: ports.host.current, bornMs: ports.time.nowMs, unreported: 0 };
    ports.ledger.lives.push(this.record);
  }

  run(): void {
    this.#live().then(
      () => {
        this.isOver = true;
      },
      (error: unknown) => {
        if (!this.killable.isAlive) return;
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#ports.ledger.recordGap('never throws', why.split('\n').slice(0, 6).join(' | '));
      },
    );
  }

  stop(): void {
    this.record.stoppedMs = this.#ports.time.nowMs;
    this.#stop.abort();
  }

  /** At once, and for ever. */
  die(how: Ending['how']): void {
    this.killable.isAlive = false;
    this.record.diedMs = this.#ports.time.nowMs;
    this.record.how = how;
    this.record.unreported = this.outbox?.losses.unreported ?? 0;
  }

  async #live(): Promise<void> {
    const { plan, plant, ledger, time, legacy } = this.#ports;
    const { settings } = plan;
    const clock = this.killable.clock(this.#ports.host, () => time.nowMs);
    const log = this.#log();
    const checker = { ledger, time, life: this.record };
    const losses = plantedLosses(observedLossReport(new LossReport(), checker), plant);
    const timeSync = plantedTimeSync(this.#ports.host.timeSync(clock.sleep), plant);
    const memory = plan.hasRuntimeDirectory ? this.record.boot.memory : undefined;
    const timestamper = new Timestamper({ clock, timeSync, log, memory }, { trust: settings.trust });
    const { spool, watched } = await this.#openSpool(clock, losses, log);
    const { bootOffsetMs: anchoredMs } = spool;
    const known = memory?.load() ?? (anchoredMs === undefined ? undefined : { firstMs: anchoredMs });
    if (known && plant !== 'dating-begins-anew') timestamper.restore(known);
    const stamp = () => timestamper.now();
    const outbox = new TieredOutbox({ clock, log, losses, now: stamp, spool: watched }, settings);
    this.outbox = outbox;
    const ports: AgentPorts = {
      clock,
      random: this.#createRandom(),
      store: new MemoryCredentialStore(),
      transport: plantedTransport(this.#transport(), plant),
      outbox: plantedOutbox(observedOutbox(outbox, checker), plant, legacy),
      sensors: this.#ports.samples.sensors(this.record, () => this.#atSample(outbox)),
      timestamper,
      facts: { gather: async () => ({ agentVersion: 'v-simulated' }) },
      log,
    };
    const given = { server: 'coap://192.0.2.7:5683', deviceName: 'gw', token: TOKEN };
    await runAgent(ports, { ...settings, ...given }, this.#stop.signal);
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
        rng: this.#rng,
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
    const { time, ledger, server, weather, plan } = this.#ports;
    return new SimulatedTransport({
      time,
      ledger,
      server,
      weather,
      rng: this.#rng.fork(),
      act: (effect) => this.killable.act('road', effect),
      life: this.record,
      settings: plan.settings,
    });
  }

  #createRandom(): Random {
    const rng = this.#rng.fork();
    return {
      uniform: () => rng.random(),
      mintToken: () => {
        throw new Error('life: no token to mint');
      },
    };
  }

  #log(): Logger {
    const { ledger } = this.#ports;
    const tell = (level: string) => (message: string, fields?: LogFields) =>
      ledger.trace(
        `agent ${this.record.number} ${level}: ${message} ${fields ? JSON.stringify(fields) : ''}`,
      );
    return { debug: () => {}, info: tell('info'), warn: tell('warn'), error: tell('error') };
  }
}

/**
 * The weeks of one gateway, from a seed: the planned faults, then their end, after which everything must be
 * on the server within `DRAIN_MS` of virtual time; then the checks.
 */

import { PowerCutDirectory } from '../../doubles/power-cut/power-cut-directory.ts';
import { SeededRandom } from '../seeded-random.ts';
import { VirtualTime } from '../virtual-time.ts';
import { Accounting, type LossCause } from './checks/accounting.ts';
import { checkTimestamps, checkValues, findParts } from './checks/history.ts';
import { type BrokenPromise, formatTime, Ledger, type PromiseName } from './checks/ledger.ts';
import { drawPlan, OFTEN_KILLED, oftenFaulty } from './plan/draw-plan.ts';
import {
  type Conditions,
  type DiskFault,
  DRIFT_MAX,
  HOUR,
  NO_FAULTS,
  type WeekPlan,
} from './plan/week-plan.ts';
import type { WeekPlant } from './planted-bugs.ts';
import { DownlinkWorld } from './world/downlink-world.ts';
import { HostTime } from './world/host-time.ts';
import { Samples } from './world/samples.ts';
import { WeekGateway } from './world/week-gateway.ts';
import { WeekServer } from './world/week-server.ts';

export interface WeekOptions {
  readonly seed: number;
  readonly days: number;
  readonly plant?: WeekPlant | undefined;
  /** Is killed a dozen times in each boot, and has a runtime directory. */
  readonly oftenKilled?: boolean | undefined;
  /** Its disk has this fault half of the time, and its oscillator has the largest drift. */
  readonly diskFault?: DiskFault | undefined;
  /** Number of newest trace lines to keep. */
  readonly traceMax?: number;
}

export interface WeekOutcome {
  readonly seed: number;
  readonly samples: number;
  readonly storedOnce: number;
  readonly storedTwice: number;
  readonly repeated: number;
  readonly lost: readonly (readonly [LossCause, number])[];
  readonly overreported: number;
  readonly unreported: number;
  readonly excused: number;
  readonly starts: number;
  readonly writesWhileOnline: number;
  readonly commands: number;
  readonly trials: number;
  readonly interruptedTrials: number;
  readonly catchUpMs: number;
  readonly drainedMs: number;
  readonly broken: readonly BrokenPromise[];
  readonly brokenCounts: readonly (readonly [PromiseName, number])[];
  readonly trace: readonly string[];
}

/**
 * A poisoned batch is halved four times, and its last reading is dropped after six more failures, each
 * followed by a wait of up to five minutes; everything else takes minutes.
 */
export const DRAIN_MS = 2 * HOUR;
/** The longest time without power, and a margin. */
const OFF_MS_MAX = 13 * HOUR;

export async function oneWeek(options: WeekOptions): Promise<WeekOutcome> {
  return new Week(options).run();
}

class Week {
  readonly #options: WeekOptions;
  readonly #plan: WeekPlan;
  readonly #time = new VirtualTime();
  readonly #ledger: Ledger;
  readonly #server: WeekServer;
  readonly #host: HostTime;
  readonly #gateway: WeekGateway;
  readonly #downlink: DownlinkWorld;
  #conditions: Conditions = { atMs: 0, ...NO_FAULTS };

  constructor(options: WeekOptions) {
    this.#options = options;
    const root = new SeededRandom(options.seed);
    const drawn = drawPlan(root.fork(), options.days);
    // Without a runtime directory and with a failing disk, a process cannot learn the boot offset from the
    // previous one (docs/limits.md).
    // It listens to nothing, so that most kills meet a delivery.
    const killed = {
      endings: OFTEN_KILLED,
      hasRuntimeDirectory: true,
      downlink: undefined,
    };
    const { diskFault } = options;
    this.#plan = {
      ...drawn,
      ...(options.oftenKilled && killed),
      ...(diskFault && { disk: oftenFaulty(drawn.untilMs, diskFault), drift: DRIFT_MAX }),
    };
    const { drift, settings, limitPerMinute, poisons } = this.#plan;
    const time = this.#time;
    const nowMs = () => time.nowMs;
    const ledger = new Ledger(nowMs, options.traceMax ?? 0);
    this.#ledger = ledger;
    this.#server = new WeekServer(ledger, nowMs, limitPerMinute);
    this.#host = new HostTime(time, root.fork(), drift, settings.trust === 'system');
    const samplesRandom = root.fork();
    const agentRandom = root.fork();
    this.#downlink = new DownlinkWorld(time, root.fork(), ledger);
    this.#gateway = new WeekGateway({
      time,
      ledger,
      host: this.#host,
      server: this.#server,
      disk: new PowerCutDirectory(),
      downlink: this.#downlink,
      samples: new Samples(samplesRandom, ledger, poisons, nowMs),
      random: agentRandom,
      conditions: () => this.#conditions,
      plan: this.#plan,
      plant: options.plant,
      inheritance: { values: undefined },
    });
  }

  async run(): Promise<WeekOutcome> {
    const { conditions, disk, untilMs, settings, downlink } = this.#plan;
    const time = this.#time;
    const gateway = this.#gateway;
    this.#ledger.trace(`settings ${JSON.stringify(settings)}`);
    for (const phase of conditions) time.after(phase.atMs, () => this.#setConditions(phase));
    for (const { atMs, health } of disk) time.after(atMs, () => gateway.setDisk(health));
    for (const action of downlink ?? []) time.after(action.atMs, () => this.#downlink.perform(action));
    time.after(0, () => gateway.powerOn());
    await time.run(untilMs);
    this.#endFaults();
    await time.run(untilMs + OFF_MS_MAX + DRAIN_MS, () => this.#isDrained() || this.#isLate());
    const startedMs = gateway.agent?.record.startedMs ?? 0;
    const drainedMs = time.nowMs - Math.max(untilMs, startedMs);
    if (!this.#isDrained()) this.#reportUndrained();
    return this.#outcome(drainedMs);
  }

  #setConditions(conditions: Conditions): void {
    this.#conditions = conditions;
    this.#server.serverState = conditions.serverState;
    // Its port is closed while it restarts.
    if (conditions.serverState === 'closed') this.#downlink.server.restart();
    this.#ledger.trace(
      `conditions: ${conditions.serverState}, ${Math.round(conditions.lostShare * 100)} % lost`,
    );
    this.#gateway.onConditionsChanged();
  }

  #endFaults(): void {
    this.#ledger.trace('the faults end');
    this.#setConditions({ atMs: this.#time.nowMs, ...NO_FAULTS });
    this.#gateway.setDisk('healthy');
    this.#gateway.endFaults();
    this.#host.endFaults();
    if (this.#plan.downlink) this.#downlink.endFaults();
  }

  #isDrained(): boolean {
    const agent = this.#gateway.agent;
    if (!agent?.outbox || agent.record.diedMs !== undefined || agent.record.stoppedMs !== undefined)
      return false;
    const { outbox, spool, record } = agent;
    if (this.#plan.downlink && !this.#downlink.isSettled(agent.gateway)) return false;
    if (record.offsetKnownMs === undefined || outbox.size > 0 || outbox.losses.unreported > 0) return false;
    // A segment counts its undatable and damaged readings when its file is removed, which takes time.
    return spool?.bytes === 0;
  }

  #isLate(): boolean {
    const record = this.#gateway.agent?.record;
    if (!record || record.stoppedMs !== undefined || record.diedMs !== undefined) return false;
    return this.#time.nowMs > Math.max(this.#plan.untilMs, record.startedMs) + DRAIN_MS;
  }

  #reportUndrained(): void {
    const { outbox, record } = this.#gateway.agent ?? {};
    const queued = `${outbox?.fresh.size} fresh, ${outbox?.backlog.size} in the backlog`;
    const bootOffset =
      record?.offsetKnownMs === undefined
        ? 'boot offset unknown'
        : `boot offset known at ${formatTime(record.offsetKnownMs)}`;
    const { remote } = this.#gateway.agent?.gateway ?? {};
    if (this.#plan.downlink && !this.#downlink.isSettled(this.#gateway.agent?.gateway))
      this.#ledger.reportViolation(
        'settings and commands work after the faults',
        `${JSON.stringify(remote?.report.values)}, ${remote?.isOnTrial ? 'on trial' : 'no trial'}`,
      );
    if (outbox?.size === 0 && outbox.losses.unreported === 0) return;
    this.#ledger.reportViolation(
      'drained after the faults',
      `${queued}, ${outbox?.losses.unreported} unreported losses, ${bootOffset}`,
    );
  }

  #outcome(drainedMs: number): WeekOutcome {
    const ledger = this.#ledger;
    const { stored, reportedLosses } = this.#server;
    const parts = findParts(ledger, stored);
    const accounting = new Accounting(ledger, this.#plan, reportedLosses, parts).check();
    const history = checkTimestamps(ledger, this.#host, this.#plan);
    this.#downlink.check(this.#plan.hasRuntimeDirectory);
    const excused = checkValues(ledger, stored, accounting.lossCause, parts);
    return {
      seed: this.#options.seed,
      samples: ledger.samples.length,
      ...history,
      lost: [...accounting.lost],
      overreported: accounting.overreported,
      unreported: accounting.unreported,
      excused,
      starts: ledger.agents.length,
      writesWhileOnline: ledger.writesWhileOnline,
      commands: this.#downlink.record.executions.length,
      trials: ledger.trials,
      interruptedTrials: ledger.interruptedTrials,
      catchUpMs: ledger.catchUpMsWorst,
      drainedMs,
      broken: ledger.broken,
      brokenCounts: [...ledger.counts],
      trace: ledger.lines,
    };
  }
}

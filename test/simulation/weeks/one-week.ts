/**
 * The weeks of one gateway, from a seed: everything that is planned goes wrong, then all heals, and within `DRAIN_MS` of virtual
 * time everything must be at the server. Then it is judged.
 */

import { PowerCutDirectory } from '../../doubles/power-cut-directory.ts';
import { SeededRandom } from '../seeded-random.ts';
import { VirtualTime } from '../virtual-time.ts';
import { Accounting, type LossCause } from './checks/accounting.ts';
import { checkDates, checkValues } from './checks/history.ts';
import { at, type BrokenPromise, Ledger, type PromiseName } from './checks/ledger.ts';
import { drawPlan, OFTEN_KILLED } from './plan/draw-plan.ts';
import { HOUR, NO_FAULTS, type Weather, type WeekPlan } from './plan/week-plan.ts';
import type { WeekPlant } from './planted-bugs.ts';
import { HostTime } from './world/host-time.ts';
import { Samples } from './world/samples.ts';
import { WeekGateway } from './world/week-gateway.ts';
import { WeekServer } from './world/week-server.ts';

export interface WeekOptions {
  readonly seed: number;
  readonly days: number;
  readonly plant?: WeekPlant | undefined;
  /** Dies a dozen times in each boot, and has a runtime directory. */
  readonly oftenKilled?: boolean | undefined;
  /** Lines of trace to keep; the newest. */
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
  readonly lives: number;
  readonly writesWhileOnline: number;
  readonly catchUpMs: number;
  readonly drainedMs: number;
  readonly broken: readonly BrokenPromise[];
  readonly brokenCounts: readonly (readonly [PromiseName, number])[];
  readonly trace: readonly string[];
}

/**
 * A poisoned batch is halved four times and its last reading given up after six more refusals, each followed by a wait of up to
 * five minutes; all else is minutes.
 */
export const DRAIN_MS = 2 * HOUR;
/** The longest a gateway is off, and a margin. */
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
  #weather: Weather = { atMs: 0, ...NO_FAULTS };

  constructor(options: WeekOptions) {
    this.#options = options;
    const root = new SeededRandom(options.seed);
    const drawn = drawPlan(root.fork(), options.days);
    // Without a runtime directory, and on a disk that refuses, the processes of one boot cannot tell each other its date (README, limits).
    const killed = { endings: OFTEN_KILLED, hasRuntimeDirectory: true };
    this.#plan = { ...drawn, ...(options.oftenKilled && killed) };
    const { drift, settings, limitPerMinute, poisons } = this.#plan;
    const time = this.#time;
    const nowMs = () => time.nowMs;
    const ledger = new Ledger(nowMs, options.traceMax ?? 0);
    this.#ledger = ledger;
    this.#server = new WeekServer(ledger, nowMs, limitPerMinute);
    this.#host = new HostTime(time, root.fork(), drift, settings.trust === 'system');
    this.#gateway = new WeekGateway({
      time,
      ledger,
      host: this.#host,
      server: this.#server,
      disk: new PowerCutDirectory(),
      samples: new Samples(root.fork(), ledger, poisons, nowMs),
      rng: root.fork(),
      weather: () => this.#weather,
      plan: this.#plan,
      plant: options.plant,
      legacy: { values: undefined },
    });
  }

  async run(): Promise<WeekOutcome> {
    const { weather, disk, untilMs, settings } = this.#plan;
    const time = this.#time;
    const gateway = this.#gateway;
    this.#ledger.trace(`settings ${JSON.stringify(settings)}`);
    for (const phase of weather) time.after(phase.atMs, () => this.#setWeather(phase));
    for (const { atMs, health } of disk) time.after(atMs, () => gateway.setDisk(health));
    time.after(0, () => gateway.powerOn());
    await time.run(untilMs);
    this.#heal();
    await time.run(untilMs + OFF_MS_MAX + DRAIN_MS, () => this.#isDrained() || this.#isLate());
    const bornMs = gateway.life?.record.bornMs ?? 0;
    const drainedMs = time.nowMs - Math.max(untilMs, bornMs);
    if (!this.#isDrained()) this.#reportUndrained();
    return this.#judged(drainedMs);
  }

  #setWeather(weather: Weather): void {
    this.#weather = weather;
    this.#server.sky = weather.sky;
    this.#ledger.trace(`weather: ${weather.sky}, ${Math.round(weather.lostShare * 100)} % lost`);
    this.#gateway.weatherChanged();
  }

  #heal(): void {
    this.#ledger.trace('healed');
    this.#setWeather({ atMs: this.#time.nowMs, ...NO_FAULTS });
    this.#gateway.setDisk('well');
    this.#gateway.heal();
    this.#host.heal();
  }

  #isDrained(): boolean {
    const life = this.#gateway.life;
    if (!life?.outbox || life.record.diedMs !== undefined || life.record.stoppedMs !== undefined)
      return false;
    const { outbox, record } = life;
    return record.anchoredMs !== undefined && outbox.size === 0 && outbox.losses.unreported === 0;
  }

  #isLate(): boolean {
    const record = this.#gateway.life?.record;
    if (!record || record.stoppedMs !== undefined || record.diedMs !== undefined) return false;
    return this.#time.nowMs > Math.max(this.#plan.untilMs, record.bornMs) + DRAIN_MS;
  }

  #reportUndrained(): void {
    const { outbox, record } = this.#gateway.life ?? {};
    const waiting = `${outbox?.fresh.size} fresh, ${outbox?.backlog.size} in the backlog`;
    const anchored = record?.anchoredMs === undefined ? 'not dated' : `dated at ${at(record.anchoredMs)}`;
    this.#ledger.recordGap(
      'drained after healing',
      `${waiting}, ${outbox?.losses.unreported} untold, ${anchored}`,
    );
  }

  #judged(drainedMs: number): WeekOutcome {
    const ledger = this.#ledger;
    const { stored, told } = this.#server;
    const accounts = new Accounting(ledger, this.#plan, told).settle();
    const history = checkDates(ledger, this.#host);
    const excused = checkValues(ledger, stored, accounts.lossCause);
    return {
      seed: this.#options.seed,
      samples: ledger.samples.length,
      ...history,
      lost: [...accounts.lost],
      overreported: accounts.overreported,
      unreported: accounts.unreported,
      excused,
      lives: ledger.lives.length,
      writesWhileOnline: ledger.writesWhileOnline,
      catchUpMs: ledger.catchUpMsWorst,
      drainedMs,
      broken: ledger.broken,
      brokenCounts: [...ledger.counts],
      trace: ledger.lines,
    };
  }
}

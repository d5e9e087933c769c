/**
 * The gateway of the weeks: one disk, one host clock, and one life of the agent after another on them, each ended as planned.
 */

import type { TieredOutbox } from '../../../../src/outbox/outbox.ts';
import type { DiskHealth, Ending } from '../plan/week-plan.ts';
import { DISK_BYTES, MINUTE } from '../plan/week-plan.ts';
import { type LifePorts, WeekLife } from './week-life.ts';

/** Longest time from the wish to stop to the end, ms; systemd kills after 90 s. */
const STOP_MS = 90_000;

export class WeekGateway {
  readonly #ports: LifePorts;
  readonly #endings: Ending[];
  #life: WeekLife | undefined;
  #lives = 0;
  #cancelEnding = () => {};
  /** Since when everything has been there that is needed to catch up, virtual ms. */
  #canDrainSinceMs: number | undefined = 0;

  constructor(ports: LifePorts) {
    this.#ports = ports;
    this.#endings = [...ports.plan.endings];
  }

  get life(): WeekLife | undefined {
    return this.#life;
  }

  powerOn(): void {
    const { ledger } = this.#ports;
    this.#lives += 1;
    ledger.trace(`life ${this.#lives} begins, boot ${this.#ports.host.current.number}`);
    const life = new WeekLife(this.#ports, this.#lives, (outbox) => this.#sampled(outbox));
    this.#life = life;
    const ending = this.#endings.shift();
    if (ending) this.#arm(life, ending);
    this.weatherChanged();
    life.run();
  }

  /** From now on it stays alive. */
  heal(): void {
    this.#endings.length = 0;
    this.#cancelEnding();
    this.#life?.killable.cancelEnd();
  }

  weatherChanged(): void {
    const { server, time } = this.#ports;
    this.#canDrainSinceMs = server.sky === 'clear' ? time.nowMs : undefined;
  }

  setDisk(health: DiskHealth): void {
    const { disk, ledger, time, rng } = this.#ports;
    ledger.trace(`disk: ${health}`);
    disk.capacityBytes = health === 'full' ? 0 : Number.POSITIVE_INFINITY;
    disk.totalBytes = DISK_BYTES;
    disk.freeBytes = DISK_BYTES * (health === 'low' ? 0.05 : 0.5);
    disk.readOnly = health === 'read-only';
    const breaks = () => health === 'io' && rng.isTrue(0.6);
    Object.assign(disk.broken, { read: breaks(), write: breaks(), sync: breaks(), remove: breaks() });
    const open = ledger.refusals.at(-1);
    if (open && !Number.isFinite(open.toMs)) open.toMs = time.nowMs;
    if (health !== 'well') ledger.refusals.push({ fromMs: time.nowMs, toMs: Number.POSITIVE_INFINITY });
  }

  #sampled(outbox: TieredOutbox): void {
    const { time, ledger } = this.#ports;
    if (this.#canDrainSinceMs === undefined || outbox.backlog.size > 0 || outbox.fresh.size > 1) return;
    ledger.catchUpMsWorst = Math.max(ledger.catchUpMsWorst, time.nowMs - this.#canDrainSinceMs - MINUTE);
    this.#canDrainSinceMs = undefined;
  }

  #arm(life: WeekLife, ending: Ending): void {
    const end = () => {
      this.#cancelEnding();
      life.killable.cancelEnd();
      this.#end(life, ending);
    };
    this.#cancelEnding = this.#ports.time.after(ending.afterMs, end);
    // Who is asked to stop finishes what it is at.
    if (ending.act)
      life.killable.endAtAct({ ...ending.act, before: ending.act.before && ending.how !== 'stop' }, end);
  }

  #end(life: WeekLife, { how, pauseMs }: Ending): void {
    const { time, ledger, disk, host, rng } = this.#ports;
    ledger.trace(`${how}`);
    if (how === 'stop') {
      life.stop();
      return void time.after(STOP_MS, () => this.#stopped(life));
    }
    life.die(how);
    if (how === 'power') disk.cutPower(() => rng.random());
    time.after(pauseMs, () => {
      if (how === 'power') host.boot();
      this.powerOn();
    });
  }

  #stopped(life: WeekLife): void {
    if (!life.isOver) this.#ports.ledger.recordGap('stops when asked', `not stopped ${STOP_MS} ms later`);
    life.die('stop');
    this.powerOn();
  }
}

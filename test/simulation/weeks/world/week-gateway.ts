/**
 * The gateway of the weeks: one disk, one host clock, and one process of the agent after the other, each
 * ended as planned.
 */

import type { TieredOutbox } from '../../../../src/outbox/outbox.ts';
import type { DiskHealth, Ending } from '../plan/week-plan.ts';
import { DISK_BYTES, MINUTE, SECOND } from '../plan/week-plan.ts';
import { WeekAgent, type WeekAgentPorts } from './week-agent.ts';

/** The free part of the disk, if not half of it. */
const FREE_SHARE: Partial<Record<DiskHealth, number>> = { low: 0.05, full: 0 };

/** The maximum duration of a stop, ms. */
const STOP_MS_MAX = 90_000;

/** Trials of settings whose process ends meanwhile. */
const ENDED_TRIALS_SHARE = 0.25;

export class WeekGateway {
  readonly #ports: WeekAgentPorts;
  readonly #endings: Ending[];
  #agent: WeekAgent | undefined;
  #starts = 0;
  #cancelEnding = () => {};
  #haveFaultsEnded = false;
  /** When the server became reachable, virtual ms; undefined if it is not, or the backlog is delivered. */
  #canDrainSinceMs: number | undefined = 0;

  constructor(ports: WeekAgentPorts) {
    this.#ports = ports;
    this.#endings = [...ports.plan.endings];
  }

  get agent(): WeekAgent | undefined {
    return this.#agent;
  }

  powerOn(): void {
    const { ledger } = this.#ports;
    this.#starts += 1;
    ledger.trace(`start ${this.#starts}, boot ${this.#ports.host.current.number}`);
    const agent = new WeekAgent(this.#ports, this.#starts, {
      sample: (outbox) => this.#onSample(outbox),
      trial: () => this.#onTrial(agent),
    });
    this.#agent = agent;
    const ending = this.#endings.shift();
    if (ending) this.#arm(agent, ending);
    this.onConditionsChanged();
    agent.run();
  }

  /** No further endings: the agent keeps running. */
  endFaults(): void {
    this.#endings.length = 0;
    this.#haveFaultsEnded = true;
    this.#cancelEnding();
    this.#agent?.killable.cancelEnd();
  }

  onConditionsChanged(): void {
    const { server, time } = this.#ports;
    this.#canDrainSinceMs = server.serverState === 'reachable' ? time.nowMs : undefined;
  }

  setDisk(health: DiskHealth): void {
    const { disk, ledger, time, random } = this.#ports;
    ledger.trace(`disk: ${health}`);
    disk.capacityBytes = health === 'full' ? 0 : Number.POSITIVE_INFINITY;
    disk.totalBytes = DISK_BYTES;
    disk.freeBytes = DISK_BYTES * (FREE_SHARE[health] ?? 0.5);
    disk.readOnly = health === 'read-only';
    const fails = () => health === 'io' && random.isTrue(0.6);
    Object.assign(disk.broken, { read: fails(), write: fails(), sync: fails(), remove: fails() });
    const open = ledger.diskFaults.at(-1);
    if (open && !Number.isFinite(open.toMs)) open.toMs = time.nowMs;
    if (health !== 'healthy') ledger.diskFaults.push({ fromMs: time.nowMs, toMs: Number.POSITIVE_INFINITY });
  }

  #onSample(outbox: TieredOutbox): void {
    const { time, ledger, downlink } = this.#ports;
    downlink.onSample(this.#agent?.gateway);
    if (this.#canDrainSinceMs === undefined || outbox.backlog.size > 0 || outbox.fresh.size > 1) return;
    ledger.catchUpMsWorst = Math.max(ledger.catchUpMsWorst, time.nowMs - this.#canDrainSinceMs - MINUTE);
    this.#canDrainSinceMs = undefined;
  }

  /** Of some trials, ends the process in one of its phases: by time, or at one of the next acts on the disk. */
  #onTrial(agent: WeekAgent): void {
    const { random, time, ledger } = this.#ports;
    ledger.trials += 1;
    if (this.#haveFaultsEnded || !random.isTrue(ENDED_TRIALS_SHARE)) return;
    const kind = random.weighted<Ending['kind']>([
      [6, 'power'],
      [3, 'kill'],
      [1, 'stop'],
    ]);
    const ending = { kind, afterMs: 0, pauseMs: random.logBetween(5 * SECOND, 10 * MINUTE) };
    const end = () => {
      const { diedMs, stoppedMs } = agent.record;
      if (this.#haveFaultsEnded || diedMs !== undefined || stoppedMs !== undefined) return;
      if (agent.gateway?.remote.isOnTrial) ledger.interruptedTrials += 1;
      this.#cancelEnding();
      agent.killable.cancelEnd();
      this.#end(agent, ending);
    };
    const before = random.isTrue(0.5) && kind !== 'stop';
    if (random.isTrue(0.5)) time.after(random.logBetween(1, 6 * MINUTE), end);
    else agent.killable.endAtAct({ of: 'disk', count: random.integer(1, 8), before }, end);
  }

  #arm(agent: WeekAgent, ending: Ending): void {
    const end = () => {
      this.#cancelEnding();
      agent.killable.cancelEnd();
      this.#end(agent, ending);
    };
    this.#cancelEnding = this.#ports.time.after(ending.afterMs, end);
    // A process that is asked to stop finishes its current act.
    if (ending.act)
      agent.killable.endAtAct({ ...ending.act, before: ending.act.before && ending.kind !== 'stop' }, end);
  }

  #end(agent: WeekAgent, { kind, pauseMs }: Ending): void {
    const { time, ledger, disk, host, random } = this.#ports;
    ledger.trace(`${kind}`);
    this.#ports.downlink.onSample(agent.gateway);
    if (kind === 'stop') {
      agent.stop();
      return void time.after(STOP_MS_MAX, () => this.#onStopTimeout(agent));
    }
    agent.die(kind);
    if (kind === 'power') {
      disk.cutPower(() => random.random());
      this.#ports.downlink.disk.cutPower(() => random.isTrue(0.5));
    }
    time.after(pauseMs, () => {
      if (kind === 'power') host.boot();
      this.powerOn();
    });
  }

  #onStopTimeout(agent: WeekAgent): void {
    if (!agent.isOver)
      this.#ports.ledger.reportViolation('stops in time', `still running after ${STOP_MS_MAX} ms`);
    agent.die('stop');
    this.powerOn();
  }
}

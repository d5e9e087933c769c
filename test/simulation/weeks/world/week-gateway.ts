/**
 * The gateway of the weeks: one disk, one host clock, and one process of the agent after the other, each
 * ended as planned.
 */

import type { TieredOutbox } from '../../../../src/outbox/outbox.ts';
import type { DiskHealth, Ending } from '../plan/week-plan.ts';
import { DISK_BYTES, MINUTE } from '../plan/week-plan.ts';
import { WeekAgent, type WeekAgentPorts } from './week-agent.ts';

/** The maximum duration of a stop, ms. */
const STOP_MS_MAX = 90_000;

export class WeekGateway {
  readonly #ports: WeekAgentPorts;
  readonly #endings: Ending[];
  #agent: WeekAgent | undefined;
  #starts = 0;
  #cancelEnding = () => {};
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
    const agent = new WeekAgent(this.#ports, this.#starts, (outbox) => this.#onSample(outbox));
    this.#agent = agent;
    const ending = this.#endings.shift();
    if (ending) this.#arm(agent, ending);
    this.onConditionsChanged();
    agent.run();
  }

  /** No further endings: the agent keeps running. */
  endFaults(): void {
    this.#endings.length = 0;
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
    disk.freeBytes = DISK_BYTES * (health === 'low' ? 0.05 : 0.5);
    disk.readOnly = health === 'read-only';
    const fails = () => health === 'io' && random.isTrue(0.6);
    Object.assign(disk.broken, { read: fails(), write: fails(), sync: fails(), remove: fails() });
    const open = ledger.diskFaults.at(-1);
    if (open && !Number.isFinite(open.toMs)) open.toMs = time.nowMs;
    if (health !== 'healthy') ledger.diskFaults.push({ fromMs: time.nowMs, toMs: Number.POSITIVE_INFINITY });
  }

  #onSample(outbox: TieredOutbox): void {
    const { time, ledger } = this.#ports;
    if (this.#canDrainSinceMs === undefined || outbox.backlog.size > 0 || outbox.fresh.size > 1) return;
    ledger.catchUpMsWorst = Math.max(ledger.catchUpMsWorst, time.nowMs - this.#canDrainSinceMs - MINUTE);
    this.#canDrainSinceMs = undefined;
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
    if (kind === 'stop') {
      agent.stop();
      return void time.after(STOP_MS_MAX, () => this.#onStopTimeout(agent));
    }
    agent.die(kind);
    if (kind === 'power') disk.cutPower(() => random.random());
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

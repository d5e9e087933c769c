/**
 * Supervision: tells the service manager that the agent is up, what it is at, and, as long as its loops get on, that it lives.
 *
 * It lives if nothing is late (progress.ts); a timer that says so regardless would prove nothing. Who is late is told once
 * in the journal; the service manager then hears nothing more until that is over, and restarts the agent if it is not. A
 * blocked event loop needs no detection: it says nothing either. The status goes with the sign of life, and in between when
 * it says something else.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import { tell } from '../events/catalogue.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { ServiceManager } from '../ports/service-manager.ts';
import type { Status } from '../status/status.ts';
import type { Progress } from './liveness.ts';

export interface SupervisionPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly service: ServiceManager;
  readonly progress: Progress;
  readonly status: Status;
}

/** The status of an agent that nobody expects a sign of life from, ms. */
const STATUS_EVERY_MS = 60_000;
/** A status costs a process: a server that comes and goes is told no more often than this, ms. */
const STATUS_GAP_MS = 3_000;
/** After a stop of the whole process (SIGSTOP, a frozen cgroup) all is late for a moment: asked again soon, ms. */
const LATE_AGAIN_MS = 5_000;

export async function supervise(ports: SupervisionPorts, signal: AbortSignal): Promise<void> {
  const { clock, service, progress, status } = ports;
  const { watchdogMs } = service;
  const everyMs = watchdogMs === undefined ? STATUS_EVERY_MS : watchdogMs / 2;
  const lateness = new Lateness(ports.log);
  const changes = new AsyncSignal();
  status.watch(() => changes.notify());
  service.ready();
  for (let beatMs = clock.monotonicMs(); !signal.aborted; ) {
    const nowMs = clock.monotonicMs();
    if (nowMs >= beatMs) {
      const { late } = progress;
      lateness.tell(late);
      if (late === undefined) service.alive();
      progress.nudge();
      beatMs = nowMs + (late === undefined ? everyMs : Math.min(everyMs, LATE_AGAIN_MS));
    }
    const { version } = changes;
    service.status(status.text());
    await clock.sleep(Math.min(beatMs - nowMs, STATUS_GAP_MS), signal);
    const leftMs = beatMs - clock.monotonicMs();
    if (leftMs > 0) await changes.waitUpTo(leftMs, clock, signal, version);
  }
}

/** Says once what stands still, and once that it goes on. */
class Lateness {
  readonly #log: Logger;
  #told: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  tell(late: string | undefined): void {
    if ((late === undefined) === (this.#told === undefined)) return;
    if (late === undefined) tell(this.#log, 'FL-GOES-ON', { while: this.#told });
    else {
      tell(this.#log, 'FL-STANDS-STILL', { while: late });
    }
    this.#told = late;
  }
}

/**
 * Supervision: tells the service manager that the agent is up, what it is at, and, as long as its loops get on, that it lives.
 *
 * It lives if nothing is late (progress.ts); a timer that says so regardless would prove nothing. Who is late is told once
 * in the journal; the service manager then hears nothing more until that is over, and restarts the agent if it is not. A
 * blocked event loop needs no detection: it says nothing either. The status goes with the sign of life, and in between when
 * it says something else.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import { logEvent } from '../events/catalogue.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import type { ServiceManager } from '../ports/service-manager.ts';
import type { Status } from '../status/status.ts';
import type { Liveness } from './liveness.ts';

export interface WatchdogPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly service: ServiceManager;
  readonly liveness: Liveness;
  readonly status: Status;
}

/** The status of an agent that nobody expects a sign of life from, ms. */
const STATUS_INTERVAL_MS = 60_000;
/** A status costs a process: a server that comes and goes is told no more often than this, ms. */
const STATUS_INTERVAL_MS_MIN = 3_000;
/** After a stop of the whole process (SIGSTOP, a frozen cgroup) all is late for a moment: asked again soon, ms. */
const STALL_RECHECK_MS = 5_000;

export async function runWatchdog(ports: WatchdogPorts, signal: AbortSignal): Promise<void> {
  const { clock, service, liveness, status } = ports;
  const { watchdogMs } = service;
  const intervalMs = watchdogMs === undefined ? STATUS_INTERVAL_MS : watchdogMs / 2;
  const stallLog = new StallLog(ports.log);
  const changes = new AsyncSignal();
  status.subscribe(() => changes.notify());
  service.ready();
  for (let beatMs = clock.monotonicMs(); !signal.aborted; ) {
    const nowMs = clock.monotonicMs();
    if (nowMs >= beatMs) {
      const { stalled } = liveness;
      stallLog.update(stalled);
      if (stalled === undefined) service.alive();
      liveness.poke();
      beatMs = nowMs + (stalled === undefined ? intervalMs : Math.min(intervalMs, STALL_RECHECK_MS));
    }
    const { version } = changes;
    service.status(status.text());
    await clock.sleep(Math.min(beatMs - nowMs, STATUS_INTERVAL_MS_MIN), signal);
    const leftMs = beatMs - clock.monotonicMs();
    if (leftMs > 0) await changes.waitUpTo(leftMs, clock, signal, version);
  }
}

/** Says once what stands still, and once that it goes on. */
class StallLog {
  readonly #log: Logger;
  #stalled: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  update(stalled: string | undefined): void {
    if ((stalled === undefined) === (this.#stalled === undefined)) return;
    if (stalled === undefined) logEvent(this.#log, 'FL-AGENT-RESUMED', { activity: this.#stalled });
    else {
      logEvent(this.#log, 'FL-AGENT-STALLED', { activity: stalled });
    }
    this.#stalled = stalled;
  }
}

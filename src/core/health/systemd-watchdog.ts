/**
 * Notifies the service manager: ready, status, and, as long as no activity is stalled (liveness.ts), alive.
 *
 * A stall is logged once and stops the alive notifications; systemd restarts the agent if the stall lasts. A
 * blocked event loop sends no notification either.
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

/** Interval of the status if no watchdog is configured, ms. */
const STATUS_INTERVAL_MS = 60_000;
/** Minimum interval of status notifications, ms: each may start a process. */
const STATUS_INTERVAL_MS_MIN = 3_000;
/**
 * Interval of checks during a stall, ms: after SIGSTOP or a frozen cgroup, all deadlines are exceeded for a
 * moment.
 */
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

/** Logs the start and the end of a stall, each once. */
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

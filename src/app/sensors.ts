/**
 * Opens the built-in and custom sensors of a configuration. They survive a reload that does not change their settings, so that
 * counters between two samples are not lost. Blocking reads are shared by all of them, because they occupy threads of the process.
 */

import { isEqual } from '../config/differences.ts';
import { runAll, type Task } from '../core/async/tasks.ts';
import type { SensorsConfig } from '../core/model/config.ts';
import { isSelected, type Profile } from '../core/model/sensor-selection.ts';
import type { Clock, ClockState } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Sensors } from '../core/ports/sensors.ts';
import type { DeliveryCounters } from '../core/status/counters.ts';
import type { Timestamper } from '../core/timestamps/timestamper.ts';
import { pollClockOffset } from '../host/clock/poll-clock-offset.ts';
import { pollContainers } from '../host/containers.ts';
import { pollFailedUnits } from '../host/systemd/failed-units.ts';
import { type BlockingReads, openBlockingReads } from '../sensors/files/blocking-reads.ts';
import type { ExternalValues } from '../sensors/runtime/external-values.ts';
import { openSensors } from '../sensors/sampler.ts';
import { createPollers, selectedCustomSensors } from './custom-sensors.ts';
import { type MeasuredOutbox, SelfMetrics } from './self-metrics.ts';

export interface SensorSetPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: DeliveryCounters;
  /** Earlier starts in this boot; undefined if they are not counted. */
  readonly restarts: number | undefined;
  /** The largest timer lag since the last call, ms (host/clock/clock.ts). */
  readonly drainTimerLagMs?: () => number | undefined;
  /** Default: `/`. For tests. */
  readonly root?: string;
  /** Sockets of the container engines. For tests. */
  readonly sockets?: readonly string[];
}

/** What the `agent` sensor reports about this process. */
export interface AgentInternals {
  readonly outbox: MeasuredOutbox;
  readonly spoolBytes: () => number;
  readonly timestamper: Pick<Timestamper, 'clockState'>;
}

export interface OpenSensors {
  readonly sensors: Sensors;
  /** Polls slow values in the background until the signal aborts; can be called again afterwards. */
  run(signal: AbortSignal): Promise<void>;
}

export class SensorSet {
  readonly #ports: SensorSetPorts;
  readonly #blockingReads = openBlockingReads();
  #internals: AgentInternals | undefined;
  #current: { readonly config: SensorsConfig; readonly opened: OpenSensors } | undefined;

  constructor(ports: SensorSetPorts) {
    this.#ports = ports;
  }

  /** Connects the `agent` sensor to the present outbox. */
  attach(internals: AgentInternals): void {
    this.#internals = internals;
  }

  /** Returns the open sensors if their settings are unchanged, otherwise opens new ones. */
  open(config: SensorsConfig): OpenSensors {
    if (this.#current === undefined || !isEqual(this.#current.config, config))
      this.#current = {
        config,
        opened: openSensorSet(config, this.#ports, this.#blockingReads, () => this.#internals),
      };
    return this.#current.opened;
  }
}

function openSensorSet(
  config: SensorsConfig,
  ports: SensorSetPorts,
  blockingReads: BlockingReads,
  internals: () => AgentInternals | undefined,
): OpenSensors {
  const { root = '/', clock, log, counters, restarts, drainTimerLagMs, sockets } = ports;
  const pollers = createPollers(config, { clock, log });
  const files = selectedCustomSensors(config).filter((sensor) => sensor.kind === 'file');
  const units = pollFailedUnits({ clock });
  const containers = pollContainers({ clock, ...(sockets && { sockets }) });
  const offset = pollClockOffset({ clock });
  const selfMetrics = new SelfMetrics({
    outbox: () => internals()?.outbox,
    spoolBytes: () => internals()?.spoolBytes(),
    counters,
    restarts,
    drainTimerLagMs,
  });
  const external: ExternalValues = {
    agent: () => selfMetrics,
    services: () => ({ failedUnits: units.last, runningContainers: containers.last }),
    clock: () => ({
      isSynchronised: isSynchronised(internals()?.timestamper.clockState),
      offsetMs: offset.last,
    }),
  };
  const sensors = openSensors({
    root,
    clock,
    log,
    tuning: config,
    files,
    polledValues: () => pollers.latest(),
    external,
    blockingReads,
  });
  const ifSelected = (sensor: string, key: string, from: Profile, task: Task): readonly Task[] =>
    isSelected(config.selection, sensor, key, from) ? [task] : [];
  const backgroundTasks = [
    ...ifSelected('services', 'failedUnitCount', 'default', (stop) => units.run(stop)),
    ...ifSelected('clock', 'clockOffsetMs', 'full', (stop) => offset.run(stop)),
    ...ifSelected('containers', 'runningContainerCount', 'full', (stop) => containers.run(stop)),
  ];
  return { sensors, run: (signal) => runAll([(stop) => pollers.run(stop), ...backgroundTasks], signal) };
}

/** Undefined if the clock is trusted without synchronisation. */
function isSynchronised(clockState: ClockState | undefined): boolean | undefined {
  return clockState === undefined || clockState === 'trusted' ? undefined : clockState === 'synchronised';
}

/**
 * The sensors as the configuration wants them: the agent's own and the operator's. They outlive the configuration when it changes
 * without a word about them: then what they remember from one sample to the next, such as counters, is not lost in a reload.
 * What hangs outlives every change: the threads it holds are counted for the whole process.
 */

import { isEqual } from '../config/differences.ts';
import { runAll, type Task } from '../core/async/tasks.ts';
import type { ClockState } from '../core/model/clock-state.ts';
import type { SensorsConfig } from '../core/model/config.ts';
import { isSelected, type Profile } from '../core/model/selection.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Sensors } from '../core/ports/sensors.ts';
import type { DeliveryCounters } from '../core/status/counters.ts';
import type { Timestamper } from '../core/timestamps/timestamper.ts';
import { pollClockOffset } from '../host/clock/clock-offset.ts';
import { pollContainers } from '../host/containers.ts';
import { pollFailedUnits } from '../host/systemd/failed-units.ts';
import { type BlockingReads, openBlockingReads } from '../sensors/files/blocking-reads.ts';
import type { ExternalValues } from '../sensors/runtime/external-values.ts';
import { openSensors } from '../sensors/sampler.ts';
import { createPollers, selectedCustomSensors } from './custom-sensors.ts';
import { agentMetrics, type MeasuredOutbox } from './self-metrics.ts';

export interface SensorSetPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: DeliveryCounters;
  /** Starts of the agent in this boot before this one; undefined where they are not counted. */
  readonly restarts: number | undefined;
  /** How late the clock's timers are (host/clock.ts); absent with a clock that does not know. */
  readonly drainTimerLagMs?: () => number | undefined;
  /** Default `/`; another in a test. */
  readonly root?: string;
  /** The container engines' sockets; given by tests. */
  readonly sockets?: readonly string[];
}

/** What the sensors ask about the agent's own work. */
export interface AgentInternals {
  /** Where the readings wait. */
  readonly outbox: MeasuredOutbox;
  readonly spoolBytes: () => number;
  readonly timestamper: Pick<Timestamper, 'clockState'>;
}

export interface OpenSensors {
  readonly sensors: Sensors;
  /** Reads what takes its time, beside the sampling, until the signal aborts; can be called again then. */
  run(signal: AbortSignal): Promise<void>;
}

export class SensorSet {
  readonly #ports: SensorSetPorts;
  readonly #blockingReads = openBlockingReads();
  #internals: AgentInternals | undefined;
  #current: { readonly config: SensorsConfig; readonly sensorSet: OpenSensors } | undefined;

  constructor(ports: SensorSetPorts) {
    this.#ports = ports;
  }

  /** What the sensors are to ask from now on. */
  attach(internals: AgentInternals): void {
    this.#internals = internals;
  }

  /** The ones there are, if they are what this configuration wants, or others. */
  open(config: SensorsConfig): OpenSensors {
    if (this.#current === undefined || !isEqual(this.#current.config, config))
      this.#current = {
        config,
        sensorSet: openSensorSet(config, this.#ports, this.#blockingReads, () => this.#internals),
      };
    return this.#current.sensorSet;
  }
}

function openSensorSet(
  config: SensorsConfig,
  ports: SensorSetPorts,
  slow: BlockingReads,
  internals: () => AgentInternals | undefined,
): OpenSensors {
  const { root = '/', clock, log, counters, restarts, drainTimerLagMs, sockets } = ports;
  const pollers = createPollers(config, { clock, log });
  const files = selectedCustomSensors(config).filter((sensor) => sensor.kind === 'file');
  const beside = () => pollers.latest();
  const units = pollFailedUnits({ clock });
  const containers = pollContainers({ clock, ...(sockets && { sockets }) });
  const offset = pollClockOffset({ clock });
  const told: ExternalValues = {
    agent: () => agentMetrics({ ...internals(), counters, restarts, drainTimerLagMs }),
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
    polledValues: beside,
    external: told,
    blockingReads: slow,
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

/** Undefined where the clock is trusted whatever it says: nobody asks about it then. */
function isSynchronised(clockState: ClockState | undefined): boolean | undefined {
  return clockState === undefined || clockState === 'trusted' ? undefined : clockState === 'synchronised';
}

/**
 * The sensors as the configuration wants them: the agent's own and the operator's. They outlive the configuration when it changes
 * without a word about them: then what they remember from one sample to the next, such as counters, is not lost in a reload.
 * What hangs outlives every change: the threads it holds are counted for the whole process.
 */

import { isSame } from '../config/differences.ts';
import { type Task, together } from '../core/async/tasks.ts';
import type { ClockStanding } from '../core/model/clock-state.ts';
import type { SensorsConfig } from '../core/model/config.ts';
import { type Profile, selects } from '../core/model/selection.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Sensors } from '../core/ports/sensors.ts';
import type { Tally } from '../core/status/counters.ts';
import type { Dating } from '../core/timestamps/timestamper.ts';
import { clockOffset } from '../host/clock/clock-offset.ts';
import { runningContainers } from '../host/containers.ts';
import { failedUnits } from '../host/systemd/failed-units.ts';
import { openSlowReads, type SlowReads } from '../sensors/files/blocking-reads.ts';
import type { Told } from '../sensors/runtime/external-values.ts';
import { openSensors } from '../sensors/sampler.ts';
import { openPollers, wantedOwn } from './custom-sensors.ts';
import { agentFigures, type CountedOutbox } from './self-metrics.ts';

export interface SuitePorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tally: Tally;
  /** Starts of the agent in this boot before this one; undefined where they are not counted. */
  readonly restarts: number | undefined;
  /** How late the clock's timers are (host/clock.ts); absent with a clock that does not know. */
  readonly takeLatenessMs?: () => number | undefined;
  /** Default `/`; another in a test. */
  readonly root?: string;
  /** The container engines' sockets; given by tests. */
  readonly sockets?: readonly string[];
}

/** What the sensors ask about the agent's own work. */
export interface Known {
  /** Where the readings wait. */
  readonly outbox: CountedOutbox;
  readonly spoolBytes: () => number;
  readonly dating: Pick<Dating, 'standing'>;
}

export interface OpenSuite {
  readonly sensors: Sensors;
  /** Reads what takes its time, beside the sampling, until the signal aborts; can be called again then. */
  keep(signal: AbortSignal): Promise<void>;
}

export class SensorSuite {
  readonly #ports: SuitePorts;
  readonly #slow = openSlowReads();
  #known: Known | undefined;
  #opened: { readonly config: SensorsConfig; readonly suite: OpenSuite } | undefined;

  constructor(ports: SuitePorts) {
    this.#ports = ports;
  }

  /** What the sensors are to ask from now on. */
  know(known: Known): void {
    this.#known = known;
  }

  /** The ones there are, if they are what this configuration wants, or others. */
  as(config: SensorsConfig): OpenSuite {
    if (this.#opened === undefined || !isSame(this.#opened.config, config))
      this.#opened = { config, suite: openSuite(config, this.#ports, this.#slow, () => this.#known) };
    return this.#opened.suite;
  }
}

function openSuite(
  config: SensorsConfig,
  ports: SuitePorts,
  slow: SlowReads,
  known: () => Known | undefined,
): OpenSuite {
  const { root = '/', clock, log, tally, restarts, takeLatenessMs, sockets } = ports;
  const pollers = openPollers(config, { clock, log });
  const files = wantedOwn(config).filter((sensor) => sensor.kind === 'file');
  const beside = () => pollers.latest();
  const units = failedUnits({ clock });
  const containers = runningContainers({ clock, ...(sockets && { sockets }) });
  const offset = clockOffset({ clock });
  const told: Told = {
    agent: () => agentFigures({ ...known(), tally, restarts, takeLatenessMs }),
    services: () => ({ failedUnits: units.last, runningContainers: containers.last }),
    clock: () => ({ isSynchronised: isSynchronised(known()?.dating.standing), offsetMs: offset.last }),
  };
  const sensors = openSensors({ root, clock, log, tuning: config, files, beside, told, slow });
  const onlyIf = (sensor: string, key: string, from: Profile, task: Task): readonly Task[] =>
    selects(config.selection, sensor, key, from) ? [task] : [];
  const asking = [
    ...onlyIf('services', 'failedUnitCount', 'default', (stop) => units.keep(stop)),
    ...onlyIf('clock', 'clockOffsetMs', 'full', (stop) => offset.keep(stop)),
    ...onlyIf('containers', 'runningContainerCount', 'full', (stop) => containers.keep(stop)),
  ];
  return { sensors, keep: (signal) => together([(stop) => pollers.keep(stop), ...asking], signal) };
}

/** Undefined where the clock is trusted whatever it says: nobody asks about it then. */
function isSynchronised(standing: ClockStanding | undefined): boolean | undefined {
  return standing === undefined || standing === 'trusted' ? undefined : standing === 'synchronised';
}

/**
 * The sensors as the configuration wants them: the agent's own and the operator's. They outlive the configuration when it changes
 * without a word about them: then what they remember from one sample to the next, such as counters, is not lost in a reload.
 */

import { isSame } from '../config/differences.ts';
import type { SensorsConfig } from '../core/config.ts';
import type { Clock, Logger, Sensors } from '../core/ports.ts';
import { selects } from '../core/selection.ts';
import { together } from '../core/together.ts';
import { FailedUnits } from '../host/failed-units.ts';
import { openSensors } from '../sensors/sampler.ts';
import { agentFigures, type CountedOutbox } from './agent-figures.ts';
import { openPollers, wantedOwn } from './own-pollers.ts';

export interface SuitePorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default `/`; another in a test. */
  readonly root?: string;
}

interface Surroundings extends SuitePorts {
  readonly outbox: () => CountedOutbox | undefined;
}

export interface OpenSuite {
  readonly sensors: Sensors;
  /** Reads what takes its time, beside the sampling, until the signal aborts; can be called again then. */
  keep(signal: AbortSignal): Promise<void>;
}

export class SensorSuite {
  readonly #ports: SuitePorts;
  #outbox: CountedOutbox | undefined;
  #opened: { readonly config: SensorsConfig; readonly suite: OpenSuite } | undefined;

  constructor(ports: SuitePorts) {
    this.#ports = ports;
  }

  /** Where the readings wait from now on, for the agent's own sensor. */
  count(outbox: CountedOutbox): void {
    this.#outbox = outbox;
  }

  /** The ones there are, if they are what this configuration wants, or others. */
  as(config: SensorsConfig): OpenSuite {
    if (this.#opened === undefined || !isSame(this.#opened.config, config))
      this.#opened = { config, suite: openSuite(config, { ...this.#ports, outbox: () => this.#outbox }) };
    return this.#opened.suite;
  }
}

function openSuite(config: SensorsConfig, { root = '/', clock, log, outbox }: Surroundings): OpenSuite {
  const pollers = openPollers(config, { clock, log });
  const files = wantedOwn(config).filter((sensor) => sensor.kind === 'file');
  const beside = () => pollers.latest();
  const units = new FailedUnits({ clock });
  const told = { agent: () => agentFigures(outbox()), services: () => ({ failedUnits: units.count }) };
  const sensors = openSensors({ root, clock, log, tuning: config, files, beside, told });
  const isAsked = selects(config.selection, 'services', 'failedUnitCount', 'default');
  const asking = isAsked ? [(stop: AbortSignal) => units.keep(stop)] : [];
  return { sensors, keep: (signal) => together([(stop) => pollers.keep(stop), ...asking], signal) };
}

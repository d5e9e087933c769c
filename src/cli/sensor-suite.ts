/**
 * The sensors as the configuration wants them: the agent's own and the operator's. They outlive the configuration when it changes
 * without a word about them: then what they remember from one sample to the next, such as counters, is not lost in a reload.
 */

import { isSame } from '../config/differences.ts';
import type { SensorsConfig } from '../core/config.ts';
import type { Clock, Logger, Sensors } from '../core/ports.ts';
import { openSensors } from '../sensors/sampler.ts';
import { openPollers, wantedOwn } from './own-pollers.ts';

export interface SuitePorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default `/`; another in a test. */
  readonly root?: string;
}

export interface OpenSuite {
  readonly sensors: Sensors;
  /** Reads what takes its time, beside the sampling, until the signal aborts; can be called again then. */
  keep(signal: AbortSignal): Promise<void>;
}

export class SensorSuite {
  readonly #ports: SuitePorts;
  #opened: { readonly config: SensorsConfig; readonly suite: OpenSuite } | undefined;

  constructor(ports: SuitePorts) {
    this.#ports = ports;
  }

  /** The ones there are, if they are what this configuration wants, or others. */
  as(config: SensorsConfig): OpenSuite {
    if (this.#opened === undefined || !isSame(this.#opened.config, config))
      this.#opened = { config, suite: openSuite(config, this.#ports) };
    return this.#opened.suite;
  }
}

function openSuite(config: SensorsConfig, { root = '/', clock, log }: SuitePorts): OpenSuite {
  const pollers = openPollers(config, { clock, log });
  const files = wantedOwn(config).filter((sensor) => sensor.kind === 'file');
  const beside = () => pollers.latest();
  const sensors = openSensors({ root, clock, log, tuning: config, files, beside });
  return { sensors, keep: (signal) => pollers.keep(signal) };
}

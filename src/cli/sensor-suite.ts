/**
 * The sensors as the configuration wants them. They outlive it when it changes without a word about them: then what they
 * remember from one sample to the next, such as counters, is not lost in a reload.
 */

import { isSame } from '../config/differences.ts';
import type { Config } from '../core/config.ts';
import type { Clock, Logger, Sensors } from '../core/ports.ts';
import { openSensors } from '../sensors/sampler.ts';

export interface SuitePorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default `/`; another in a test. */
  readonly root?: string;
}

export class SensorSuite {
  readonly #ports: SuitePorts;
  #opened: { readonly config: Config['sensors']; readonly sensors: Sensors } | undefined;

  constructor(ports: SuitePorts) {
    this.#ports = ports;
  }

  /** The ones there are, if they are what this configuration wants, or others. */
  as(config: Config['sensors']): Sensors {
    if (this.#opened === undefined || !isSame(this.#opened.config, config)) {
      const { root = '/', clock, log } = this.#ports;
      this.#opened = { config, sensors: openSensors({ root, clock, log, tuning: config }) };
    }
    return this.#opened.sensors;
  }
}

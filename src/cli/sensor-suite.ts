/**
 * The sensors as the configuration wants them: the agent's own and the operator's. They outlive the configuration when it changes
 * without a word about them: then what they remember from one sample to the next, such as counters, is not lost in a reload.
 */

import { isSame } from '../config/differences.ts';
import type { SensorsConfig } from '../core/config.ts';
import { keysOf, type OwnSensor } from '../core/own-sensor.ts';
import { type Polled, Pollers } from '../core/pollers.ts';
import type { Clock, Logger, Sensors } from '../core/ports.ts';
import { selects } from '../core/selection.ts';
import { type Gpio, openGpio } from '../host/gpio.ts';
import { polledLine } from '../host/own-lines.ts';
import { polledProgram } from '../host/own-programs.ts';
import { describeKey } from '../sensors/catalogue.ts';
import { openSensors } from '../sensors/sampler.ts';

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
  const wanted = config.own.filter((sensor) =>
    keysOf(sensor).some((key) => isWanted(config, sensor.name, key)),
  );
  const gpio = openGpio({ clock });
  const pollers = new Pollers(
    wanted.flatMap((sensor) => polledOf(sensor, { config, clock, gpio })),
    { clock, log },
  );
  const files = wanted.filter((sensor) => sensor.kind === 'file');
  const beside = () => pollers.latest();
  const sensors = openSensors({ root, clock, log, tuning: config, files, beside });
  return { sensors, keep: (signal) => pollers.keep(signal) };
}

interface PolledPorts {
  readonly config: SensorsConfig;
  readonly clock: Clock;
  readonly gpio: Gpio;
}

/** None for a file, which is read with the samples. */
function polledOf(sensor: OwnSensor, { config, clock, gpio }: PolledPorts): readonly Polled[] {
  switch (sensor.kind) {
    case 'exec':
      return [
        polledProgram(sensor, {
          clock,
          isTaken: (key) => describeKey(key) !== undefined,
          isWanted: (key) => isWanted(config, sensor.name, key),
        }),
      ];
    case 'gpio':
      return [polledLine(sensor, gpio)];
    case 'file':
      return [];
  }
}

/** An operator's own sensor is reported in every profile, unless it is switched off. */
function isWanted({ selection }: SensorsConfig, sensor: string, key: string): boolean {
  return selects(selection, sensor, key, 'minimal');
}

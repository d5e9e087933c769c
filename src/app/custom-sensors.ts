/** Creates the pollers of the configured custom sensors: programs and GPIO lines. A disabled sensor is not polled. */

import type { SensorsConfig } from '../core/model/config.ts';
import { type CustomSensor, keysOf } from '../core/model/custom-sensor.ts';
import { GAP_RECORD_KEYS } from '../core/model/loss-report.ts';
import { isSelected } from '../core/model/sensor-selection.ts';
import { type PolledSensor, Pollers, type PollersPorts } from '../core/sampling/polling.ts';
import { createGpioSensor, type Gpio, openGpio } from '../host/custom/gpio.ts';
import { createProgramSensor } from '../host/custom/program-sensor.ts';
import { describeKey } from '../sensors/catalogue.ts';

export type CustomSensorConfig = Pick<SensorsConfig, 'selection' | 'custom'>;

export function createPollers(config: CustomSensorConfig, ports: PollersPorts): Pollers {
  const gpio = openGpio(ports);
  const polled = selectedCustomSensors(config).flatMap((sensor) =>
    polledSensorsOf(sensor, config, { ...ports, gpio }),
  );
  return new Pollers(polled, ports);
}

/** Empty for a file, which the sampler reads. */
function polledSensorsOf(
  sensor: CustomSensor,
  config: CustomSensorConfig,
  { clock, gpio }: PollersPorts & { readonly gpio: Gpio },
): readonly PolledSensor[] {
  const isTaken = (key: string) => describeKey(key) !== undefined || GAP_RECORD_KEYS.has(key);
  switch (sensor.kind) {
    case 'exec':
      return [
        createProgramSensor(sensor, {
          clock,
          isTaken,
          isSelectedKey: (key) => isSelectedKey(config, sensor, key),
        }),
      ];
    case 'gpio':
      return [createGpioSensor(sensor, gpio)];
    case 'file':
      return [];
  }
}

/** The custom sensors with at least one enabled key. They belong to every profile unless they are disabled. */
export function selectedCustomSensors(config: CustomSensorConfig): readonly CustomSensor[] {
  return config.custom.filter((sensor) => keysOf(sensor).some((key) => isSelectedKey(config, sensor, key)));
}

function isSelectedKey({ selection }: CustomSensorConfig, { name }: CustomSensor, key: string): boolean {
  return isSelected(selection, name, key, 'minimal');
}

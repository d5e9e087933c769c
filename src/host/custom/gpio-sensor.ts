/** Custom sensors that read a GPIO line: true for high, or for low if the sensor is inverted. */

import type { GpioSensor } from '../../core/model/custom-sensor.ts';
import type { PolledSensor } from '../../core/sampling/polling.ts';
import type { Gpio } from './gpio.ts';

/** Three programs of at most 2 s each. */
const TIMEOUT_MS = 6000;

export function createGpioSensor({ name, line, isInverted, everyMs }: GpioSensor, gpio: Gpio): PolledSensor {
  return {
    name,
    everyMs,
    timeoutMs: TIMEOUT_MS,
    async read(signal) {
      const states = await gpio.read([line], signal);
      if (!states.ok) return states;
      const isHigh = states.isHigh.get(line);
      if (isHigh === undefined) return { ok: false, problem: `gpioget did not report ${line}` };
      return { ok: true, values: { [name]: isHigh !== isInverted } };
    },
  };
}

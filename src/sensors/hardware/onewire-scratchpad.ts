/**
 * Parses the scratchpad (`w1_slave`) of a 1-Wire thermometer. Three faults look like temperatures:
 *
 *   wrong checksum   a bad contact or a long wire
 *   only zeros       a data line shorted to ground; the checksum of zeros is zero, and so is the temperature
 *   85 °C            the power-on value: the thermometer lost its power before the conversion
 */

import { InvalidValueError, parseInteger, splitLines } from '../files/parse.ts';

/** Family 3b includes the MAX31850, which has a thermocouple. */
const THERMOCOUPLE_FAMILY = '3b';
const [THERMISTOR_MIN, THERMISTOR_MAX] = [-55, 125];
const POWER_ON_C = 85;
const PLAUSIBLE_STEP_C = 5;
const NOT_CONVERTED_SINCE_POWER_ON = '0c';

/**
 * The temperature in °C. `previousCelsius` is the one of the previous round, if any. Throws an
 * InvalidValueError.
 */
export function parseTemperature(name: string, text: string, previousCelsius: number | undefined): number {
  const [first = '', second = ''] = splitLines(text, `${name}/w1_slave`);
  const bytes = /^((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)$/.exec(first);
  if (bytes === null) throw new InvalidValueError(`1-Wire thermometer ${name} returned no checksum`);
  const scratchpad = (bytes[1] ?? '').trim().split(' ');
  if (bytes[2] !== 'YES') {
    throw new InvalidValueError(
      `1-Wire thermometer ${name} returned a wrong checksum: check the wires and the pull-up resistor`,
    );
  }
  if (scratchpad.every((byte) => byte === '00')) {
    throw new InvalidValueError(
      `1-Wire thermometer ${name} returned only zeros: check the data line for a short circuit`,
    );
  }
  const celsius =
    parseInteger(/ t=(\S*)$/.exec(second)?.[1], `the temperature of 1-Wire thermometer ${name}`) / 1000;
  if (celsius === POWER_ON_C && isPowerOnValue(name, scratchpad, previousCelsius)) {
    throw new InvalidValueError(
      `1-Wire thermometer ${name} returned 85 °C, its power-on value: check its supply and the pull-up resistor`,
    );
  }
  if (!name.startsWith(THERMOCOUPLE_FAMILY) && (celsius < THERMISTOR_MIN || celsius > THERMISTOR_MAX)) {
    throw new InvalidValueError(
      `1-Wire thermometer ${name} returned ${celsius} °C, outside its measuring range`,
    );
  }
  return celsius;
}

/**
 * A genuine DS18B20 shows the power-on value by its seventh byte. For others 85 °C is valid only after a
 * temperature within 5 °C, because real heating passes the degrees below; the first value after a start is
 * therefore rejected.
 */
function isPowerOnValue(
  name: string,
  scratchpad: readonly string[],
  previousCelsius: number | undefined,
): boolean {
  if (name.startsWith('28') && scratchpad[6] === NOT_CONVERTED_SINCE_POWER_ON) return true;
  return previousCelsius === undefined || Math.abs(previousCelsius - POWER_ON_C) > PLAUSIBLE_STEP_C;
}

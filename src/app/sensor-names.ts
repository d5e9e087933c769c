/** The sensors and keys of this version, which the configuration can name. */

import type { SensorNames } from '../config/custom-sensors.ts';
import { catalogue, collectors } from '../sensors/catalogue.ts';

export const SENSOR_NAMES: SensorNames = {
  sensors: collectors.map(({ name }) => name),
  keys: catalogue.map(({ key }) => key),
};

/** What the configuration may name: the sensors of this version and the keys they may deliver. */

import type { SensorNames } from '../config/custom-sensors.ts';
import { catalogue, collectors } from '../sensors/catalogue.ts';

export const SENSOR_NAMES: SensorNames = {
  sensors: collectors.map(({ name }) => name),
  keys: catalogue.map(({ key }) => key),
};

/** The settings of the table [sensors]; rows of the table in settings.ts. */

import * as v from 'valibot';
import { PROFILES } from '../../core/model/sensor-selection.ts';
import { KEY_CHARACTERS_MAX, PAIRS_MAX } from '../values/key-values.ts';
import {
  FACTOR_MAX,
  GLOBS_MAX,
  parseGlobs,
  parseIntervals,
  parseOffsets,
  parseRenames,
  parseScales,
} from '../values/sensor-lists.ts';
import type { Setting } from './setting.ts';
import { choice, parseWith, text } from './value-types.ts';

const PAIRS = `at most ${PAIRS_MAX} of`;
const KEYS = `a key has 1 to ${KEY_CHARACTERS_MAX} letters, digits, _ . - and * (wildcard)`;
const GLOBS = `at most ${GLOBS_MAX} names of sensors or keys, separated by commas; * matches any characters`;

export const sensorSettings = {
  sensorsProfile: {
    key: 'sensors.profile',
    isRemote: true,
    default: 'default',
    meaning:
      'Which keys are reported. minimal: the few that show that the gateway is healthy; default: the keys that suit most gateways; full: all keys.',
    ...choice(PROFILES),
  },
  sensorsOn: {
    key: 'sensors.on',
    isRemote: true,
    type: 'list',
    default: '',
    bound: GLOBS,
    example: 'hwmon, netWlan0*',
    meaning: 'Sensors and keys that are reported in addition to those of the profile.',
    schema: v.pipe(text('a list of names'), parseWith(parseGlobs)),
  },
  sensorsOff: {
    key: 'sensors.off',
    isRemote: true,
    type: 'list',
    default: '',
    bound: GLOBS,
    example: 'load5, load15, netDocker*',
    meaning:
      'Sensors and keys that are never reported. Takes precedence over sensors.profile and sensors.on. If no key of a sensor is reported, the agent does not read the sensor.',
    schema: v.pipe(text('a list of names'), parseWith(parseGlobs)),
  },
  sensorsInterval: {
    key: 'sensors.interval',
    isRemote: true,
    type: 'list',
    default: '',
    bound: `${PAIRS} sensor=duration, separated by commas; a duration is 1s to 24h`,
    example: 'filesystem=5m, processes=60s',
    meaning:
      'Reading intervals of single sensors, for sensors that are read less often than telemetry.interval. Between two readings the last values are repeated.',
    schema: v.pipe(text('a list of sensor=duration'), parseWith(parseIntervals)),
  },
  sensorsRename: {
    key: 'sensors.rename',
    isRemote: true,
    type: 'list',
    default: '',
    bound: `${PAIRS} key=name, separated by commas; a name is a letter and up to 63 letters, digits, _ . -, and not the name of another key`,
    example: 'cpuTemperatureC=boardTemperature',
    meaning: 'New names for telemetry keys. Use the new names in telemetry.deadband.',
    schema: v.pipe(text('a list of key=name'), parseWith(parseRenames)),
  },
  sensorsScale: {
    key: 'sensors.scale',
    isRemote: true,
    type: 'list',
    default: '',
    bound: `${PAIRS} key=number, separated by commas; ${KEYS}; a number is not 0 and from -${FACTOR_MAX} to ${FACTOR_MAX}`,
    example: 'memory*=0.000001',
    meaning:
      'Factors by which values are multiplied before they are reported, rounded to at most six decimals. Use the key names from before sensors.rename.',
    schema: v.pipe(text('a list of key=number'), parseWith(parseScales)),
  },
  sensorsOffset: {
    key: 'sensors.offset',
    isRemote: true,
    type: 'list',
    default: '',
    bound: `${PAIRS} key=number, separated by commas; ${KEYS}; a number is from -${FACTOR_MAX} to ${FACTOR_MAX}`,
    example: 'cpuTemperatureC=-1.5',
    meaning:
      'Numbers that are added to values after sensors.scale. Use the key names from before sensors.rename.',
    schema: v.pipe(text('a list of key=number'), parseWith(parseOffsets)),
  },
} as const satisfies Record<string, Setting>;

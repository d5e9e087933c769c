/**
 * The settings of the table [sensors]: which keys are reported, how often each sensor is read, under what names and in what
 * units. Part of the table of settings (schema.ts).
 */

import * as v from 'valibot';
import { PROFILES } from '../../core/model/selection.ts';
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
const KEYS = `a key is 1 to ${KEY_CHARACTERS_MAX} letters, digits, _ . - and * (any characters)`;
const GLOBS = `at most ${GLOBS_MAX} names of sensors or keys, separated by commas, with * for any characters`;

export const sensorSettings = {
  sensorsProfile: {
    key: 'sensors.profile',
    default: 'default',
    meaning:
      'Which keys are reported: the few that say a gateway is alive and well, those of most gateways, or all there are.',
    ...choice(PROFILES),
  },
  sensorsOn: {
    key: 'sensors.on',
    type: 'list',
    default: '',
    bound: GLOBS,
    example: 'hwmon, netWlan0*',
    meaning: 'Sensors and keys that are reported beside those of the profile.',
    schema: v.pipe(text('a list of names'), parseWith(parseGlobs)),
  },
  sensorsOff: {
    key: 'sensors.off',
    type: 'list',
    default: '',
    bound: GLOBS,
    example: 'load5, load15, netDocker*',
    meaning:
      'Sensors and keys that are not reported, whatever the profile and sensors.on say. A sensor of which nothing is wanted is not read.',
    schema: v.pipe(text('a list of names'), parseWith(parseGlobs)),
  },
  sensorsInterval: {
    key: 'sensors.interval',
    type: 'list',
    default: '',
    bound: `${PAIRS} sensor=duration, separated by commas; 1s to 24h`,
    example: 'filesystem=5m, processes=60s',
    meaning:
      'How often a sensor is read that need not be read for each reading; in between its last values are repeated. Never more often than telemetry.interval.',
    schema: v.pipe(text('a list of sensor=duration'), parseWith(parseIntervals)),
  },
  sensorsRename: {
    key: 'sensors.rename',
    type: 'list',
    default: '',
    bound: `${PAIRS} key=name, separated by commas; a name is a letter and up to 63 letters, digits, _ . -, and no other key's`,
    example: 'cpuTemperatureC=boardTemperature',
    meaning: 'Other names for keys, as they go to the server; telemetry.deadband knows them by these names.',
    schema: v.pipe(text('a list of key=name'), parseWith(parseRenames)),
  },
  sensorsScale: {
    key: 'sensors.scale',
    type: 'list',
    default: '',
    bound: `${PAIRS} key=number, separated by commas; ${KEYS}; not 0, at most ${FACTOR_MAX} either way`,
    example: 'memory*=0.000001',
    meaning:
      'By what a number is multiplied before it is reported, at most six decimals. Keys by the names they have before sensors.rename.',
    schema: v.pipe(text('a list of key=number'), parseWith(parseScales)),
  },
  sensorsOffset: {
    key: 'sensors.offset',
    type: 'list',
    default: '',
    bound: `${PAIRS} key=number, separated by commas; ${KEYS}; at most ${FACTOR_MAX} either way`,
    example: 'cpuTemperatureC=-1.5',
    meaning: 'What is added to a number after sensors.scale.',
    schema: v.pipe(text('a list of key=number'), parseWith(parseOffsets)),
  },
} as const satisfies Record<string, Setting>;

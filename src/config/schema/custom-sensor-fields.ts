/**
 * The fields of the custom sensors [[sensor.exec]], [[sensor.file]] and [[sensor.gpio]]. The example file, the manual page and
 * the problems derive from this table. Every value is text; only `command` and `keys` are lists of texts.
 */

import * as v from 'valibot';
import type { CustomSensorKind } from '../../core/model/custom-sensor.ts';
import { FACTOR_MAX, INTERVAL_MS_MAX, INTERVAL_MS_MIN, parseFactor } from '../values/sensor-lists.ts';
import { describeType } from './display.ts';
import type { Setting } from './setting.ts';
import { absolutePath, boundedText, choice, duration, parseWith, text } from './value-types.ts';

/** A setting whose key is the field's name. Without a default it is required, unless it is optional. */
export interface Field<T = unknown> extends Setting<T> {
  readonly isOptional?: true;
}

const SECOND_MS = 1000;
const ARGUMENTS_MAX = 32;
const KEYS_MAX = 32;
const UNIT_CHARACTERS_MAX = 16;

const name = (example: string) => ({
  key: 'name',
  type: 'text' as const,
  bound: 'a lowercase letter and up to 31 letters and digits; unique among all sensors',
  example,
  schema: v.pipe(
    text('text'),
    v.check((input) => /^[a-z][A-Za-z0-9]{0,31}$/.test(input), 'is not a valid sensor name'),
  ),
});

const every = (builtIn: string) => ({
  key: 'every',
  default: builtIn,
  meaning: 'Time between two readings.',
  ...duration(INTERVAL_MS_MIN, INTERVAL_MS_MAX, builtIn),
});

const unit = (example: string) => ({
  key: 'unit',
  type: 'text' as const,
  bound: `up to ${UNIT_CHARACTERS_MAX} characters`,
  example,
  isOptional: true as const,
  meaning: 'Unit that firstlight sample shows beside the value. It is not sent to the server.',
  schema: v.pipe(
    text('text'),
    boundedText(),
    v.check((input) => [...input].length <= UNIT_CHARACTERS_MAX, 'is too long'),
  ),
});

const factor = (key: string, builtIn: string, meaning: string) => ({
  key,
  type: 'number' as const,
  default: builtIn,
  bound: `a decimal number from -${FACTOR_MAX} to ${FACTOR_MAX}`,
  example: builtIn,
  meaning,
  schema: v.pipe(
    text('a number'),
    parseWith((input: string) => parseFactor(input) ?? 'is not a decimal number within the limits'),
  ),
});

export const texts = (expected: string) =>
  v.array(
    v.pipe(
      v.string((issue) => `contains ${describeType(issue.input)}, not ${expected}`),
      v.check((input) => !input.includes('\0'), 'contains a NUL character'),
    ),
    (issue) => `is ${describeType(issue.input)}, not a list of texts`,
  );

export const customSensorFields = {
  exec: {
    name: {
      ...name('boiler'),
      meaning:
        'Prefix of the telemetry keys: the sensor boiler with the value flow_temp reports boilerFlowTemp.',
    },
    command: {
      key: 'command',
      type: 'list',
      bound: `["/absolute/path", "argument", …], up to ${ARGUMENTS_MAX} arguments; no shell`,
      example: '["/usr/local/bin/read-boiler", "--json"]',
      meaning: 'Program and its arguments.',
      schema: v.pipe(
        texts('text'),
        v.check((words) => words.length > 0, 'is empty'),
        v.check((words) => words[0]?.startsWith('/') ?? false, 'does not begin with an absolute path'),
        v.check((words) => words.length <= 1 + ARGUMENTS_MAX, 'has too many arguments'),
        v.check((words) => words.every((word) => word.length <= 4096), 'has an argument that is too long'),
      ),
    },
    every: every('60s'),
    timeout: {
      key: 'timeout',
      default: '10s',
      meaning: 'Maximum run time. After it the agent kills the program and all processes it started.',
      ...duration(100, 300 * SECOND_MS, '10s'),
    },
    keys: {
      key: 'keys',
      type: 'list',
      bound: `1 to ${KEYS_MAX} names`,
      example: '["flow_temp", "pressure"]',
      isOptional: true,
      meaning: 'Values that are reported. Without this list, all values are reported.',
      schema: v.pipe(
        texts('text'),
        v.check((keys) => keys.length > 0, 'is empty'),
        v.check((keys) => keys.length <= KEYS_MAX, 'has too many names'),
        v.check(
          (keys) => keys.every((key) => /[A-Za-z0-9]/.test(key)),
          'has a name without a letter or digit',
        ),
      ),
    },
    unit: unit('°C'),
  },
  file: {
    name: { ...name('tankLevel'), meaning: 'Telemetry key of the value.' },
    path: {
      key: 'path',
      meaning: 'File to read. The value is the first decimal number on its first line.',
      ...absolutePath('/sys/bus/iio/devices/iio:device0/in_voltage0_raw'),
    },
    every: every('10s'),
    scale: factor('scale', '1', 'Factor by which the number is multiplied.'),
    offset: factor('offset', '0', 'Number that is added after scaling.'),
    unit: unit('l'),
  },
  gpio: {
    name: { ...name('doorOpen'), meaning: 'Telemetry key of the value, which is true or false.' },
    line: {
      key: 'line',
      type: 'text',
      bound: '1 to 31 printable ASCII characters',
      example: 'GPIO17',
      meaning: 'Name of the GPIO line, as printed by gpioinfo. The line must be an input.',
      schema: v.pipe(
        text('text'),
        v.check((input) => /^[!-~]([ -~]{0,29}[!-~])?$/.test(input), 'is not a valid line name'),
        v.check((input) => !input.startsWith('-'), 'begins with a hyphen'),
      ),
    },
    invert: {
      key: 'invert',
      default: 'no',
      meaning: 'With yes, a low level is reported as true.',
      ...choice(['no', 'yes']),
    },
    every: every('10s'),
  },
} as const satisfies Record<CustomSensorKind, Record<string, Field>>;

export const CUSTOM_SENSOR_KINDS = ['exec', 'file', 'gpio'] as const satisfies readonly CustomSensorKind[];

/**
 * Validates the custom sensors of all files and reports every problem.
 *
 * A sensor in a later file replaces the whole sensor of that name. No name may be that of another sensor or key. Their number is
 * bounded, because each costs a process or a read.
 */

import { type CustomSensor, type CustomSensorKind, keysOf } from '../core/model/custom-sensor.ts';
import { matches } from '../core/model/glob.ts';
import { GAP_KEYS } from '../core/model/loss-report.ts';
import { formatSource, type Problem, problemAt, type Source } from './errors/problem.ts';
import { customSensorFields } from './schema/custom-sensor-fields.ts';
import { FieldReader, nameProblem, unknownFieldProblems } from './sources/field-reader.ts';
import type { RawCustomSensor } from './sources/list-tables.ts';
import { RESERVED_NAMES } from './values/sensor-lists.ts';

/** The names of the built-in sensors and their keys, which app/ passes in. */
export interface SensorNames {
  readonly sensors: readonly string[];
  /** A `*` stands for a name that is found on the host. */
  readonly keys: readonly string[];
}

export const CUSTOM_SENSORS_MAX: Readonly<Record<CustomSensorKind, number>> = {
  exec: 16,
  file: 32,
  gpio: 32,
};

export interface CustomSensors {
  readonly sensors: readonly CustomSensor[];
  readonly problems: readonly Problem[];
}

/** `files` in ascending order of precedence. */
export function readCustomSensors(
  files: readonly (readonly RawCustomSensor[])[],
  names: SensorNames,
): CustomSensors {
  const problems: Problem[] = [];
  const byName = new Map<string, { readonly sensor: CustomSensor; readonly source: Source }>();
  for (const rawSensor of files.flat()) {
    const sensor = readSensor(rawSensor, problems);
    if (sensor === undefined) continue;
    const nameSource = rawSensor.sourceOf('name');
    const earlier = byName.get(sensor.name);
    if (earlier !== undefined && earlier.source.name === nameSource.name)
      problems.push(
        nameProblem(
          rawSensor,
          customSensorFields[rawSensor.kind].name,
          `is already the name of another sensor (${formatSource(earlier.source)})`,
        ),
      );
    const conflict = describeNameConflict(sensor, names);
    if (conflict !== undefined)
      problems.push(nameProblem(rawSensor, customSensorFields[rawSensor.kind].name, conflict));
    // Deleted first, so that the replacement moves to the end.
    byName.delete(sensor.name);
    byName.set(sensor.name, { sensor, source: nameSource });
  }
  const entries = [...byName.values()];
  for (const [kind, max] of Object.entries(CUSTOM_SENSORS_MAX)) {
    const excess = entries.filter(({ sensor }) => sensor.kind === kind)[max];
    if (excess === undefined) continue;
    problems.push(
      problemAt(excess.source, {
        key: `[[sensor.${kind}]]`,
        what: 'has too many tables',
        bound: `at most ${max}`,
      }),
    );
  }
  return { sensors: entries.map(({ sensor }) => sensor), problems };
}

function readSensor(rawSensor: RawCustomSensor, problems: Problem[]): CustomSensor | undefined {
  const before = problems.length;
  problems.push(...unknownFieldProblems(rawSensor, customSensorFields[rawSensor.kind]));
  const reader = new FieldReader(rawSensor, problems);
  const sensor = readFields(rawSensor.kind, reader);
  return problems.length === before ? sensor : undefined;
}

function readFields(kind: CustomSensorKind, reader: FieldReader): CustomSensor | undefined {
  switch (kind) {
    case 'exec':
      return readProgramSensor(reader);
    case 'file':
      return readFileSensor(reader);
    case 'gpio':
      return readGpioSensor(reader);
  }
}

function readProgramSensor(reader: FieldReader): CustomSensor | undefined {
  const { exec } = customSensorFields;
  const [name, command] = [reader.read(exec.name), reader.read(exec.command)];
  const [everyMs, timeoutMs] = [reader.read(exec.every), reader.read(exec.timeout)];
  const [keys, unit] = [reader.read(exec.keys), reader.read(exec.unit)];
  const [program, ...args] = command ?? [];
  if (name === undefined || program === undefined || everyMs === undefined || timeoutMs === undefined)
    return undefined;
  const optional = { ...(keys !== undefined && { keys }), ...(unit !== undefined && { unit }) };
  return { kind: 'exec', name, command: [program, ...args], everyMs, timeoutMs, ...optional };
}

function readFileSensor(reader: FieldReader): CustomSensor | undefined {
  const { file } = customSensorFields;
  const [name, path, everyMs] = [reader.read(file.name), reader.read(file.path), reader.read(file.every)];
  const [scale, offset, unit] = [reader.read(file.scale), reader.read(file.offset), reader.read(file.unit)];
  if (name === undefined || path === undefined || everyMs === undefined) return undefined;
  if (scale === undefined || offset === undefined) return undefined;
  return { kind: 'file', name, path, everyMs, scale, offset, ...(unit !== undefined && { unit }) };
}

function readGpioSensor(reader: FieldReader): CustomSensor | undefined {
  const { gpio } = customSensorFields;
  const [name, line] = [reader.read(gpio.name), reader.read(gpio.line)];
  const [everyMs, invert] = [reader.read(gpio.every), reader.read(gpio.invert)];
  if (name === undefined || line === undefined || everyMs === undefined) return undefined;
  return { kind: 'gpio', name, line, everyMs, isInverted: invert === 'yes' };
}

function describeNameConflict(sensor: CustomSensor, { sensors, keys }: SensorNames): string | undefined {
  if (RESERVED_NAMES.includes(sensor.name)) return 'is a reserved name of the server';
  if (sensors.includes(sensor.name)) return 'is the name of a built-in sensor';
  const reserved = [...keys, ...Object.values(GAP_KEYS)];
  const sensorKeys = keysOf(sensor).filter((key) => !key.includes('*'));
  const conflict = sensorKeys.find((key) => reserved.some((each) => matches(each, key)));
  return conflict === undefined ? undefined : `creates the key ${conflict}, which is a built-in key`;
}

/**
 * An operator's own sensors: from the lists of all files to checked sensors, or every problem at once.
 *
 * A sensor in a later file takes the place of one of its name in an earlier file, whole. Names are unique, and none is that of a
 * sensor or a key of the agent's own. How many there may be is bounded, because each costs a process or a read.
 */

import * as v from 'valibot';
import { keysOf, type OwnKind, type OwnSensor } from '../core/model/custom-sensor.ts';
import { matches } from '../core/model/glob.ts';
import { GAP_KEYS } from '../core/model/loss-report.ts';
import { type Problem, place, problemAt, type Source } from './errors/problem.ts';
import { nearest } from './errors/suggest.ts';
import { type Field, ownFields } from './schema/custom-sensor-fields.ts';
import { shown, shownKey } from './schema/display.ts';
import type { SensorNames } from './schema/sensor-names.ts';
import type { GivenOwn } from './sources/custom-sensor-tables.ts';
import { TAKEN_BY_SERVER } from './values/sensor-lists.ts';

export const OWN_MAX: Readonly<Record<OwnKind, number>> = { exec: 16, file: 32, gpio: 32 };

export interface OwnSensors {
  readonly own: readonly OwnSensor[];
  readonly problems: readonly Problem[];
}

/** `files` in rising order of precedence. */
export function readOwnSensors(files: readonly (readonly GivenOwn[])[], names: SensorNames): OwnSensors {
  const problems: Problem[] = [];
  const byName = new Map<string, { readonly sensor: OwnSensor; readonly source: Source }>();
  for (const given of files.flat()) {
    const sensor = sensorOf(given, problems);
    if (sensor === undefined) continue;
    const nameAt = given.sourceOf('name');
    const earlier = byName.get(sensor.name);
    if (earlier !== undefined && earlier.source.name === nameAt.name)
      problems.push(nameProblem(given, `is the name of another one already (${place(earlier.source)})`));
    const taken = takenBy(sensor, names);
    if (taken !== undefined) problems.push(nameProblem(given, taken));
    // Deleted first, so that a later one is also later in the order.
    byName.delete(sensor.name);
    byName.set(sensor.name, { sensor, source: nameAt });
  }
  const kept = [...byName.values()];
  for (const [kind, max] of Object.entries(OWN_MAX)) {
    const beyond = kept.filter(({ sensor }) => sensor.kind === kind)[max];
    if (beyond === undefined) continue;
    problems.push(
      problemAt(beyond.source, { key: `[[sensor.${kind}]]`, what: 'are too many', bound: `${max}` }),
    );
  }
  return { own: kept.map(({ sensor }) => sensor), problems };
}

function sensorOf(given: GivenOwn, problems: Problem[]): OwnSensor | undefined {
  const before = problems.length;
  for (const name of given.fields.keys()) {
    if (!Object.hasOwn(ownFields[given.kind], name)) problems.push(unknownField(given, name));
  }
  const reader = new Fields(given, problems);
  const sensor = made(given.kind, reader);
  return problems.length === before ? sensor : undefined;
}

function made(kind: OwnKind, reader: Fields): OwnSensor | undefined {
  switch (kind) {
    case 'exec':
      return programSensor(reader);
    case 'file':
      return fileSensor(reader);
    case 'gpio':
      return lineSensor(reader);
  }
}

function programSensor(reader: Fields): OwnSensor | undefined {
  const { exec } = ownFields;
  const [name, command] = [reader.read(exec.name), reader.read(exec.command)];
  const [everyMs, timeoutMs] = [reader.read(exec.every), reader.read(exec.timeout)];
  const [keys, unit] = [reader.read(exec.keys), reader.read(exec.unit)];
  const [program, ...args] = command ?? [];
  if (name === undefined || program === undefined || everyMs === undefined || timeoutMs === undefined)
    return undefined;
  const optional = { ...(keys !== undefined && { keys }), ...(unit !== undefined && { unit }) };
  return { kind: 'exec', name, command: [program, ...args], everyMs, timeoutMs, ...optional };
}

function fileSensor(reader: Fields): OwnSensor | undefined {
  const { file } = ownFields;
  const [name, path, everyMs] = [reader.read(file.name), reader.read(file.path), reader.read(file.every)];
  const [scale, offset, unit] = [reader.read(file.scale), reader.read(file.offset), reader.read(file.unit)];
  if (name === undefined || path === undefined || everyMs === undefined) return undefined;
  if (scale === undefined || offset === undefined) return undefined;
  return { kind: 'file', name, path, everyMs, scale, offset, ...(unit !== undefined && { unit }) };
}

function lineSensor(reader: Fields): OwnSensor | undefined {
  const { gpio } = ownFields;
  const [name, line] = [reader.read(gpio.name), reader.read(gpio.line)];
  const [everyMs, invert] = [reader.read(gpio.every), reader.read(gpio.invert)];
  if (name === undefined || line === undefined || everyMs === undefined) return undefined;
  return { kind: 'gpio', name, line, everyMs, isInverted: invert === 'yes' };
}

class Fields {
  readonly #given: GivenOwn;
  readonly #problems: Problem[];

  constructor(given: GivenOwn, problems: Problem[]) {
    this.#given = given;
    this.#problems = problems;
  }

  /** The value, or the built-in one; undefined when it is wrong or lacking, and then there is a problem more, unless it is optional. */
  read<T>(field: Field<T>): T | undefined {
    const { kind, fields, source, sourceOf } = this.#given;
    const [key, example] = [fullKey(kind, field.key), exampleOf(field)];
    if (!fields.has(field.key) && field.default === undefined) {
      if (field.isOptional === undefined)
        this.#problems.push(problemAt(source, { key, what: 'is missing', bound: field.bound, example }));
      return undefined;
    }
    const raw = fields.get(field.key) ?? field.default;
    const result = v.safeParse(field.schema, raw, { abortPipeEarly: true });
    if (result.success) return result.output;
    const [what, value] = [result.issues[0].message, shown(field, raw)];
    this.#problems.push(problemAt(sourceOf(field.key), { key, value, what, bound: field.bound, example }));
    return undefined;
  }
}

/** How one would write the field. */
export function exampleOf({ key, default: builtIn, example }: Field): string {
  const value = builtIn || example;
  return `${key} = ${value.startsWith('[') ? value : JSON.stringify(value)}`;
}

function unknownField(given: GivenOwn, name: string): Problem {
  const known = Object.keys(ownFields[given.kind]);
  const meant = nearest(name, known);
  const what = `is no field of it${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  return problemAt(given.sourceOf(name), { key: fullKey(given.kind, name), what, bound: known.join(' ') });
}

function nameProblem(given: GivenOwn, what: string): Problem {
  const { name } = ownFields[given.kind];
  const value = shown(name, given.fields.get(name.key));
  return problemAt(given.sourceOf(name.key), {
    key: fullKey(given.kind, name.key),
    value,
    what,
    bound: name.bound,
  });
}

function takenBy(sensor: OwnSensor, { sensors, keys }: SensorNames): string | undefined {
  if (TAKEN_BY_SERVER.includes(sensor.name)) return 'is a name the server keeps for itself';
  if (sensors.includes(sensor.name)) return "is the name of a sensor of the agent's own";
  const reserved = [...keys, ...Object.values(GAP_KEYS)];
  const own = keysOf(sensor).filter((key) => !key.includes('*'));
  const taken = own.find((key) => reserved.some((each) => matches(each, key)));
  return taken === undefined ? undefined : `makes the key ${taken}, which is one of the agent's own`;
}

function fullKey(kind: OwnKind, field: string): string {
  return `sensor.${kind}.${shownKey([field])}`;
}

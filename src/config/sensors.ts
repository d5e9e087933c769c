/**
 * The table [sensors] against the sensors and keys there are.
 *
 * Wrong are an interval for a sensor that does not exist, and a new name that is another key's already: two values under one
 * name would be told apart by nobody. A name or glob that nothing is called is only worth a warning, since a list may be
 * written for a later version, and keys of own programs are known when they run.
 */

import type { SensorsConfig } from '../core/model/config.ts';
import { keysOf } from '../core/model/custom-sensor.ts';
import { matches, overlap } from '../core/model/glob.ts';
import { GAP_KEYS } from '../core/model/loss-report.ts';
import { readOwnSensors } from './custom-sensors.ts';
import { place } from './errors/problem.ts';
import { nearest } from './errors/suggest.ts';
import type { SensorNames } from './schema/sensor-names.ts';
import type { Setting } from './schema/setting.ts';
import { settings } from './schema/settings.ts';
import type { GivenOwn } from './sources/custom-sensor-tables.ts';
import type { Parsed, Reader } from './sources/reader.ts';

export interface ReadSensors {
  readonly sensors: SensorsConfig;
  readonly warnings: readonly string[];
}

export function readSensors(
  reader: Reader,
  agents: SensorNames,
  files: readonly (readonly GivenOwn[])[],
): ReadSensors {
  const { own, problems } = readOwnSensors(files, agents);
  reader.problems.push(...problems);
  const names = {
    sensors: [...agents.sensors, ...own.map(({ name }) => name)],
    keys: [...agents.keys, ...own.flatMap(keysOf)],
  };
  const profile = reader.lastOrDefault(settings.sensorsProfile);
  const on = reader.effective(settings.sensorsOn);
  const off = reader.effective(settings.sensorsOff);
  const interval = reader.effective(settings.sensorsInterval);
  const rename = reader.effective(settings.sensorsRename);
  const scale = reader.effective(settings.sensorsScale);
  const offset = reader.effective(settings.sensorsOffset);
  if (interval.given) judgeIntervals(reader, interval.given, agents);
  // What a program may print is known when it does; a name that is given counts before such a key (sensors/retouch.ts).
  const certain = own.flatMap(keysOf).filter((key) => !key.includes('*'));
  if (rename.given) judgeRenames(reader, rename.given, [...agents.keys, ...certain]);
  const all = [...names.sensors, ...names.keys];
  const warnings = [
    ...unheardOf(settings.sensorsOn, on.given, on.value, all),
    ...unheardOf(settings.sensorsOff, off.given, off.value, all),
    ...unheardOf(settings.sensorsRename, rename.given, [...rename.value.keys()], names.keys),
    ...unheardOf(settings.sensorsScale, scale.given, [...scale.value.keys()], names.keys),
    ...unheardOf(settings.sensorsOffset, offset.given, [...offset.value.keys()], names.keys),
  ];
  const sensors: SensorsConfig = {
    selection: { profile, on: on.value, off: off.value },
    everyMs: interval.value,
    rename: rename.value,
    scale: scale.value,
    offset: offset.value,
    own,
  };
  return { sensors, warnings };
}

function judgeIntervals(
  reader: Reader,
  given: Parsed<ReadonlyMap<string, number>>,
  { sensors }: SensorNames,
) {
  for (const name of given.value.keys()) {
    if (sensors.includes(name)) continue;
    reader.blame(
      settings.sensorsInterval,
      given,
      `names ${name}, which is no sensor${suggestion(name, sensors)}`,
    );
  }
}

function judgeRenames(reader: Reader, given: Parsed<ReadonlyMap<string, string>>, keys: readonly string[]) {
  const gapKeys: readonly string[] = Object.values(GAP_KEYS);
  for (const name of given.value.values()) {
    // A key that has got another name itself has left its own one free.
    const isTaken = keys.some((key) => matches(key, name)) && !given.value.has(name);
    if (!isTaken && !gapKeys.includes(name)) continue;
    reader.blame(settings.sensorsRename, given, `gives the name ${name}, which another key has`);
  }
}

function unheardOf(
  setting: Setting,
  given: Parsed<unknown> | undefined,
  globs: readonly string[],
  known: readonly string[],
): readonly string[] {
  if (given === undefined) return [];
  return globs
    .filter((glob) => !known.some((name) => overlap(glob, name)))
    .map(
      (glob) =>
        `${place(given.source)}: ${setting.key} names ${glob}, which no sensor of this version is or delivers${suggestion(glob, known)}`,
    );
}

function suggestion(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

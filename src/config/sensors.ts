/**
 * The table [sensors], checked against the sensors and keys of this version.
 *
 * An interval for an unknown sensor and a new name that another key has are problems. An unknown name or glob is only a
 * warning, because a list may be written for a later version, and the keys of programs are not known before they run.
 */

import type { SensorsConfig } from '../core/model/config.ts';
import { keysOf } from '../core/model/custom-sensor.ts';
import { matches, overlap } from '../core/model/glob.ts';
import { GAP_KEYS } from '../core/model/loss-report.ts';
import { readCustomSensors, type SensorNames } from './custom-sensors.ts';
import { nearestWord } from './errors/nearest-word.ts';
import { formatSource } from './errors/problem.ts';
import type { Setting } from './schema/setting.ts';
import { settings } from './schema/settings.ts';
import type { RawCustomSensor } from './sources/list-tables.ts';
import type { Parsed, Reader } from './sources/reader.ts';

export interface SensorsResult {
  readonly sensors: SensorsConfig;
  readonly warnings: readonly string[];
}

export function readSensors(
  reader: Reader,
  builtIn: SensorNames,
  files: readonly (readonly RawCustomSensor[])[],
): SensorsResult {
  const { sensors: customSensors, problems } = readCustomSensors(files, builtIn);
  reader.problems.push(...problems);
  const names = {
    sensors: [...builtIn.sensors, ...customSensors.map(({ name }) => name)],
    keys: [...builtIn.keys, ...customSensors.flatMap(keysOf)],
  };
  const profile = reader.lastOrDefault(settings.sensorsProfile);
  const on = reader.effective(settings.sensorsOn);
  const off = reader.effective(settings.sensorsOff);
  const interval = reader.effective(settings.sensorsInterval);
  const rename = reader.effective(settings.sensorsRename);
  const scale = reader.effective(settings.sensorsScale);
  const offset = reader.effective(settings.sensorsOffset);
  if (interval.explicit) validateIntervals(reader, interval.explicit, builtIn);
  // The keys of a program are not known yet; a new name takes precedence over them (sensors/runtime/tuning.ts).
  const fixedKeys = customSensors.flatMap(keysOf).filter((key) => !key.includes('*'));
  if (rename.explicit) validateRenames(reader, rename.explicit, [...builtIn.keys, ...fixedKeys]);
  const all = [...names.sensors, ...names.keys];
  const warnings = [
    ...unknownNameWarnings(settings.sensorsOn, on.explicit, on.value, all),
    ...unknownNameWarnings(settings.sensorsOff, off.explicit, off.value, all),
    ...unknownNameWarnings(settings.sensorsRename, rename.explicit, [...rename.value.keys()], names.keys),
    ...unknownNameWarnings(settings.sensorsScale, scale.explicit, [...scale.value.keys()], names.keys),
    ...unknownNameWarnings(settings.sensorsOffset, offset.explicit, [...offset.value.keys()], names.keys),
  ];
  const sensors: SensorsConfig = {
    selection: { profile, on: on.value, off: off.value },
    everyMs: interval.value,
    rename: rename.value,
    scale: scale.value,
    offset: offset.value,
    custom: customSensors,
  };
  return { sensors, warnings };
}

function validateIntervals(
  reader: Reader,
  parsed: Parsed<ReadonlyMap<string, number>>,
  { sensors }: SensorNames,
) {
  for (const name of parsed.value.keys()) {
    if (sensors.includes(name)) continue;
    reader.addProblem(
      settings.sensorsInterval,
      parsed,
      `names ${name}, but no sensor has that name${formatSuggestion(name, sensors)}`,
    );
  }
}

function validateRenames(
  reader: Reader,
  parsed: Parsed<ReadonlyMap<string, string>>,
  keys: readonly string[],
) {
  const gapKeys: readonly string[] = Object.values(GAP_KEYS);
  for (const name of parsed.value.values()) {
    // A key that is renamed itself leaves its name free.
    const isTaken = keys.some((key) => matches(key, name)) && !parsed.value.has(name);
    if (!isTaken && !gapKeys.includes(name)) continue;
    reader.addProblem(settings.sensorsRename, parsed, `uses the name ${name}, which another key has`);
  }
}

function unknownNameWarnings(
  setting: Setting,
  explicit: Parsed<unknown> | undefined,
  globs: readonly string[],
  names: readonly string[],
): readonly string[] {
  if (explicit === undefined) return [];
  return globs
    .filter((glob) => !names.some((name) => overlap(glob, name)))
    .map(
      (glob) =>
        `${formatSource(explicit.source)}: ${setting.key} names ${glob}, but no sensor or key has that name${formatSuggestion(glob, names)}`,
    );
}

function formatSuggestion(name: string, names: readonly string[]): string {
  const nearestName = nearestWord(name, names);
  return nearestName === undefined ? '' : `; did you mean ${nearestName}?`;
}

/**
 * The lists [[sensor.exec]], [[sensor.file]] and [[sensor.gpio]] of one file, with their raw fields. Reports problems of the
 * lists; custom-sensors.ts validates the fields.
 */

import type { CustomSensorKind } from '../../core/model/custom-sensor.ts';
import { nearestWord } from '../errors/nearest-word.ts';
import { type Problem, problemAt, type Source } from '../errors/problem.ts';
import { CUSTOM_SENSOR_KINDS } from '../schema/custom-sensor-fields.ts';
import { describeType, formatKey } from '../schema/display.ts';
import { pathOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';

export const CUSTOM_SENSOR_TABLE = 'sensor';

/** One element of one list. */
export interface RawCustomSensor {
  readonly kind: CustomSensorKind;
  readonly fields: ReadonlyMap<string, unknown>;
  /** The beginning of the table. */
  readonly source: Source;
  readonly sourceOf: (field: string) => Source;
}

export interface CustomSensorTables {
  readonly sensors: readonly RawCustomSensor[];
  readonly problems: readonly Problem[];
}

export function readCustomSensorTables(
  body: object,
  sourceAt: (path: readonly string[]) => Source,
): CustomSensorTables {
  const sensors: RawCustomSensor[] = [];
  const problems: Problem[] = [];
  for (const [name, list] of Object.entries(body)) {
    const kind = CUSTOM_SENSOR_KINDS.find((each) => each === name);
    const listSource = sourceAt([CUSTOM_SENSOR_TABLE, name]);
    if (kind === undefined) problems.push(unknownListProblem(name, listSource));
    else if (!Array.isArray(list)) problems.push(wrongTypeProblem(name, list, listSource));
    else {
      list.forEach((element: unknown, index) => {
        const path = [CUSTOM_SENSOR_TABLE, name, String(index)];
        const source = sourceAt(path);
        if (typeof element !== 'object' || element === null)
          problems.push(wrongTypeProblem(name, list, source));
        else {
          const fields = new Map<string, unknown>(Object.entries(element));
          sensors.push({ kind, fields, source, sourceOf: (field) => sourceAt([...path, field]) });
        }
      });
    }
  }
  return { sensors, problems };
}

function unknownListProblem(name: string, source: Source): Problem {
  const otherKey = allSettings.find((setting) => pathOf(setting)[1] === name)?.key;
  const nearestKind = nearestWord(name, CUSTOM_SENSOR_KINDS);
  const suggestion =
    otherKey ?? (nearestKind === undefined ? undefined : `[[${CUSTOM_SENSOR_TABLE}.${nearestKind}]]`);
  const what = `is not a known sensor type${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  const bound = CUSTOM_SENSOR_KINDS.map((kind) => `[[${CUSTOM_SENSOR_TABLE}.${kind}]]`).join(' ');
  return problemAt(source, { key: formatKey([CUSTOM_SENSOR_TABLE, name]), what, bound });
}

function wrongTypeProblem(name: string, raw: unknown, source: Source): Problem {
  return problemAt(source, {
    key: formatKey([CUSTOM_SENSOR_TABLE, name]),
    what: `is ${describeType(raw)}, not a list of tables`,
    example: `[[${CUSTOM_SENSOR_TABLE}.${name}]]`,
  });
}

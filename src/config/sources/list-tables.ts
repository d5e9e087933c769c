/**
 * The lists of tables of one file, [[sensor.exec]], [[sensor.file]], [[sensor.gpio]] and [[command.exec]], with their raw fields.
 * Reports problems of the lists; custom-sensors.ts and exec-commands.ts validate the fields.
 */

import { nearestWord } from '../errors/nearest-word.ts';
import { type Problem, problemAt, type Source } from '../errors/problem.ts';
import { CUSTOM_SENSOR_KINDS } from '../schema/custom-sensor-fields.ts';
import { describeType, formatKey } from '../schema/display.ts';
import { pathOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';

/** The kinds of lists of each table. */
export const LIST_TABLES = { sensor: CUSTOM_SENSOR_KINDS, command: ['exec'] } as const;

export type ListTableName = keyof typeof LIST_TABLES;

/** One element of one list. */
export interface RawTable<
  Name extends ListTableName = ListTableName,
  Kind extends string = (typeof LIST_TABLES)[Name][number],
> {
  readonly table: Name;
  readonly kind: Kind;
  readonly fields: ReadonlyMap<string, unknown>;
  /** The beginning of the table. */
  readonly source: Source;
  readonly sourceOf: (field: string) => Source;
}

export type RawCustomSensor = RawTable<'sensor'>;
export type RawCommand = RawTable<'command'>;

export interface ListTables {
  readonly tables: readonly RawTable[];
  readonly problems: readonly Problem[];
}

export function isListTableName(name: string): name is ListTableName {
  return Object.hasOwn(LIST_TABLES, name);
}

/** The elements of one table, such as all [[sensor.…]]. */
export function tablesOf<Name extends ListTableName>(
  tables: readonly RawTable[],
  name: Name,
): readonly RawTable<Name>[] {
  return tables.filter((each): each is RawTable<Name> => each.table === name);
}

export function readListTables(
  table: ListTableName,
  body: object,
  sourceAt: (path: readonly string[]) => Source,
): ListTables {
  const tables: RawTable[] = [];
  const problems: Problem[] = [];
  const kinds: readonly RawTable['kind'][] = LIST_TABLES[table];
  for (const [name, list] of Object.entries(body)) {
    const kind = kinds.find((each) => each === name);
    const listSource = sourceAt([table, name]);
    if (kind === undefined) problems.push(unknownListProblem(table, name, listSource));
    else if (!Array.isArray(list)) problems.push(wrongTypeProblem(table, name, list, listSource));
    else {
      list.forEach((element: unknown, index) => {
        const path = [table, name, String(index)];
        const source = sourceAt(path);
        if (typeof element !== 'object' || element === null)
          problems.push(wrongTypeProblem(table, name, list, source));
        else {
          const fields = new Map<string, unknown>(Object.entries(element));
          tables.push({ table, kind, fields, source, sourceOf: (field) => sourceAt([...path, field]) });
        }
      });
    }
  }
  return { tables, problems };
}

function unknownListProblem(table: ListTableName, name: string, source: Source): Problem {
  const kinds = LIST_TABLES[table];
  const otherKey = allSettings.find((setting) => pathOf(setting)[1] === name)?.key;
  const nearestKind = nearestWord(name, kinds);
  const suggestion = otherKey ?? (nearestKind === undefined ? undefined : `[[${table}.${nearestKind}]]`);
  const what = `is not a known ${table} type${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  const bound = kinds.map((kind) => `[[${table}.${kind}]]`).join(' ');
  return problemAt(source, { key: formatKey([table, name]), what, bound });
}

function wrongTypeProblem(table: ListTableName, name: string, raw: unknown, source: Source): Problem {
  return problemAt(source, {
    key: formatKey([table, name]),
    what: `is ${describeType(raw)}, not a list of tables`,
    example: `[[${table}.${name}]]`,
  });
}

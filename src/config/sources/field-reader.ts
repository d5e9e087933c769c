/** Reads the fields of one element of a list of tables, and reports every problem with its line. */

import * as v from 'valibot';
import { nearestWord } from '../errors/nearest-word.ts';
import { type Problem, problemAt } from '../errors/problem.ts';
import type { Field } from '../schema/custom-sensor-fields.ts';
import { formatKey, formatValue } from '../schema/display.ts';
import type { RawTable } from './list-tables.ts';

export class FieldReader {
  readonly #rawTable: RawTable;
  readonly #problems: Problem[];

  constructor(rawTable: RawTable, problems: Problem[]) {
    this.#rawTable = rawTable;
    this.#problems = problems;
  }

  /** The value or the default. Undefined if it is invalid or missing; then adds a problem, unless the field is optional. */
  read<T>(field: Field<T>): T | undefined {
    const { fields, source, sourceOf } = this.#rawTable;
    const [key, example] = [qualifiedKey(this.#rawTable, field.key), exampleOf(field)];
    if (!fields.has(field.key) && field.default === undefined) {
      if (field.isOptional === undefined)
        this.#problems.push(problemAt(source, { key, what: 'is missing', bound: field.bound, example }));
      return undefined;
    }
    const raw = fields.get(field.key) ?? field.default;
    const result = v.safeParse(field.schema, raw, { abortPipeEarly: true });
    if (result.success) return result.output;
    const [what, value] = [result.issues[0].message, formatValue(field, raw)];
    this.#problems.push(problemAt(sourceOf(field.key), { key, value, what, bound: field.bound, example }));
    return undefined;
  }
}

/** The field as an assignment in TOML. */
export function exampleOf({ key, default: builtIn, example }: Field): string {
  const value = builtIn || example;
  return `${key} = ${value.startsWith('[') ? value : JSON.stringify(value)}`;
}

/** The problems of fields that the table does not have. */
export function unknownFieldProblems(rawTable: RawTable, known: Readonly<Record<string, Field>>): Problem[] {
  const fieldNames = Object.keys(known);
  return [...rawTable.fields.keys()]
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => {
      const suggestion = nearestWord(name, fieldNames);
      const what = `is not a field of this ${rawTable.table} type${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
      const key = qualifiedKey(rawTable, name);
      return problemAt(rawTable.sourceOf(name), { key, what, bound: fieldNames.join(' ') });
    });
}

/** A problem of the field `name`, which identifies the table. */
export function nameProblem(rawTable: RawTable, field: Field, what: string): Problem {
  const value = formatValue(field, rawTable.fields.get(field.key));
  const key = qualifiedKey(rawTable, field.key);
  return problemAt(rawTable.sourceOf(field.key), { key, value, what, bound: field.bound });
}

function qualifiedKey({ table, kind }: RawTable, field: string): string {
  return `${table}.${kind}.${formatKey([field])}`;
}

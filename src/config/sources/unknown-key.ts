/** The problem of a table or key that Firstlight does not have, with a suggestion. */

import { nearestWord } from '../errors/nearest-word.ts';
import { type Problem, problemAt, type Source } from '../errors/problem.ts';
import { formatKey } from '../schema/display.ts';
import { pathOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';
import { LIST_TABLES } from './list-tables.ts';

/** The tables of the configuration, without lists of tables. */
export const TABLES = [...new Set(allSettings.map((setting) => pathOf(setting)[0]))];

/** A table that Firstlight does not have, with the most similar one. */
export function unknownTableProblem(table: string, source: Source): Problem {
  const suggestion = nearestWord(table, TABLES);
  const what = `is not a Firstlight table${suggestion === undefined ? '' : `; did you mean [${suggestion}]?`}`;
  return problemAt(source, {
    key: `[${formatKey([table])}]`,
    what,
    bound: [...TABLES, ...Object.keys(LIST_TABLES)].map((each) => `[${each}]`).join(' '),
  });
}

/** A key that Firstlight does not have, with the most similar one, or the same key of another table. */
export function unknownKeyProblem(path: readonly string[], source: Source): Problem {
  const keys = allSettings.map((setting) => setting.key);
  const name = path.at(-1) ?? '';
  const otherKey = allSettings.find((setting) => pathOf(setting)[1] === name)?.key;
  const suggestion = otherKey ?? nearestWord(path.join('.'), keys);
  const what = `is not a Firstlight key${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  return problemAt(source, { key: formatKey(path), what });
}

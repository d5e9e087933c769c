/**
 * The configuration file: from a path to the values given in it, each with its line.
 *
 * Finds everything that can be wrong with the file as a file, as TOML, and with the names in it. Whether the
 * values are right is judged later. Of a syntax error only the parser's own words and the line are passed on:
 * its message quotes the source, and the source may hold the secret.
 */

import { parse, TomlError } from 'smol-toml';
import { type Problem, problemAt, type Source } from '../errors/problem.ts';
import { nearest } from '../errors/suggest.ts';
import { kindOf, shownKey } from '../schema/display.ts';
import { pathOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';
import { type GivenOwn, OWN_TABLE, ownLists } from './custom-sensor-tables.ts';
import { readTextFile } from './read-text-file.ts';
import type { Given } from './reader.ts';
import { type Locator, locate } from './toml-lines.ts';

export interface TomlFile {
  readonly path: string;
  readonly is: 'read' | 'missing' | 'broken';
  readonly given: readonly Given[];
  /** Sensors of the operator's own, in the order of the file. */
  readonly own: readonly GivenOwn[];
  readonly problems: readonly Problem[];
  /** Every user of the host can read the file. */
  readonly open: boolean;
}

const FILE_BYTES_MAX = 256 * 1024;
const OTHERS_MAY_READ = 0o004;
const TABLES = [...new Set(allSettings.map((setting) => pathOf(setting)[0]))];

export function readTomlFile(path: string): TomlFile {
  const source: Source = { name: path, via: 'file' };
  const file = readTextFile(path, FILE_BYTES_MAX);
  if (file.is === 'missing') return { path, is: 'missing', given: [], own: [], problems: [], open: false };
  if (file.is === 'unreadable') return broken(path, problemAt(source, { what: file.what }));
  const open = (file.mode & OTHERS_MAY_READ) !== 0;
  try {
    return { path, is: 'read', open, ...valuesOf(parse(file.text), locate(file.text), source) };
  } catch (error) {
    if (error instanceof TomlError) return broken(path, syntaxProblem(error, source));
    throw error;
  }
}

export function broken(path: string, problem: Problem): TomlFile {
  return { path, is: 'broken', given: [], own: [], problems: [problem], open: false };
}

function syntaxProblem(error: TomlError, source: Source): Problem {
  const reason = /^Invalid TOML document: ([a-z -]+)/.exec(error.message)?.[1] ?? 'syntax error';
  const hint = reason === 'invalid value' ? ' (text needs quotes: name = "value")' : '';
  return problemAt({ ...source, line: error.line }, { what: `is not valid TOML: ${reason}${hint}` });
}

function valuesOf(
  document: object,
  lineOf: Locator,
  source: Source,
): Pick<TomlFile, 'given' | 'own' | 'problems'> {
  const given: Given[] = [];
  const own: GivenOwn[] = [];
  const problems: Problem[] = [];
  const known = new Map(allSettings.map((setting) => [setting.key, setting]));
  const sourceAt = (path: readonly string[]): Source => ({ ...source, line: lineOf(path) });
  for (const [table, body] of Object.entries(document)) {
    const at = sourceAt([table]);
    if (table === OWN_TABLE && isTable(body)) {
      const lists = ownLists(body, sourceAt);
      own.push(...lists.own);
      problems.push(...lists.problems);
    } else if (!TABLES.includes(table)) problems.push(unknownTable(table, body, at));
    else if (!isTable(body))
      problems.push(problemAt(at, { what: `is ${kindOf(body)}, not a table`, key: table }));
    else {
      for (const [name, raw] of Object.entries(body)) {
        const setting = known.get(`${table}.${name}`);
        const here = sourceAt([table, name]);
        if (setting === undefined) problems.push(unknownKey([table, name], here));
        else given.push({ setting, raw, source: here });
      }
    }
  }
  return { given, own, problems };
}

function unknownTable(table: string, body: unknown, at: Source): Problem {
  if (!isTable(body)) return unknownKey([table], at);
  const meant = nearest(table, TABLES);
  const what = `is no table of ours${meant === undefined ? '' : `; did you mean [${meant}]?`}`;
  return problemAt(at, {
    key: `[${shownKey([table])}]`,
    what,
    bound: [...TABLES, OWN_TABLE].map((each) => `[${each}]`).join(' '),
  });
}

function unknownKey(path: readonly string[], at: Source): Problem {
  const keys = allSettings.map((setting) => setting.key);
  const name = path.at(-1) ?? '';
  const elsewhere = allSettings.find((setting) => pathOf(setting)[1] === name)?.key;
  const meant = elsewhere ?? nearest(path.join('.'), keys);
  const what = `is no key of ours${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  return problemAt(at, { key: shownKey(path), what });
}

function isTable(value: unknown): value is object {
  return kindOf(value) === 'a table';
}

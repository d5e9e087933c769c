/**
 * Reads a configuration file into raw values with their lines. Reports problems of the file, its syntax and its names; the
 * reader validates the values later. Of a syntax error only the reason and the line are reported, because the message of the
 * parser quotes the file, which may contain the secret.
 */

import { parse, TomlError } from 'smol-toml';
import { type Problem, problemAt, type Source } from '../errors/problem.ts';
import { describeType } from '../schema/display.ts';
import { allSettings } from '../schema/settings.ts';
import { isListTableName, type RawTable, readListTables } from './list-tables.ts';
import { type Locate, locateHere } from './named-file.ts';
import { readTextFile } from './read-text-file.ts';
import type { RawSetting } from './reader.ts';
import { createLineLocator, type LineLocator } from './toml-lines.ts';
import { TABLES, unknownKeyProblem, unknownTableProblem } from './unknown-key.ts';

export interface TomlFile {
  readonly path: string;
  readonly is: 'read' | 'missing' | 'broken';
  readonly rawSettings: readonly RawSetting[];
  /** In the order of the file. */
  readonly listTables: readonly RawTable[];
  readonly problems: readonly Problem[];
  /** Every user of the host can read the file. */
  readonly isWorldReadable: boolean;
}

const FILE_BYTES_MAX = 256 * 1024;
const OTHERS_MAY_READ = 0o004;

/** `locate`: for a file of a mounted image. Messages contain `path`. */
export function readTomlFile(path: string, locate: Locate = locateHere): TomlFile {
  const source: Source = { name: path, via: 'file' };
  const file = readTextFile(locate(path), FILE_BYTES_MAX);
  if (file.is === 'missing')
    return { path, is: 'missing', rawSettings: [], listTables: [], problems: [], isWorldReadable: false };
  if (file.is === 'unreadable') return brokenTomlFile(path, problemAt(source, { what: file.what }));
  const isWorldReadable = (file.mode & OTHERS_MAY_READ) !== 0;
  try {
    return {
      path,
      is: 'read',
      isWorldReadable,
      ...readTables(parse(file.text), createLineLocator(file.text), source),
    };
  } catch (error) {
    if (error instanceof TomlError) return brokenTomlFile(path, syntaxProblem(error, source));
    throw error;
  }
}

export function brokenTomlFile(path: string, problem: Problem): TomlFile {
  return {
    path,
    is: 'broken',
    rawSettings: [],
    listTables: [],
    problems: [problem],
    isWorldReadable: false,
  };
}

function syntaxProblem(error: TomlError, source: Source): Problem {
  const reason = /^Invalid TOML document: ([a-z -]+)/.exec(error.message)?.[1] ?? 'syntax error';
  const hint = reason === 'invalid value' ? ' (text needs quotes: name = "value")' : '';
  return problemAt({ ...source, line: error.line }, { what: `is not valid TOML: ${reason}${hint}` });
}

function readTables(
  document: object,
  lineOf: LineLocator,
  source: Source,
): Pick<TomlFile, 'rawSettings' | 'listTables' | 'problems'> {
  const rawSettings: RawSetting[] = [];
  const listTables: RawTable[] = [];
  const problems: Problem[] = [];
  const byKey = new Map(allSettings.map((setting) => [setting.key, setting]));
  const sourceAt = (path: readonly string[]): Source => ({ ...source, line: lineOf(path) });
  for (const [table, body] of Object.entries(document)) {
    const tableSource = sourceAt([table]);
    if (isListTableName(table) && isTable(body)) {
      const lists = readListTables(table, body, sourceAt);
      listTables.push(...lists.tables);
      problems.push(...lists.problems);
    } else if (!TABLES.includes(table))
      problems.push(
        isTable(body) ? unknownTableProblem(table, tableSource) : unknownKeyProblem([table], tableSource),
      );
    else if (!isTable(body))
      problems.push(problemAt(tableSource, { what: `is ${describeType(body)}, not a table`, key: table }));
    else {
      for (const [name, raw] of Object.entries(body)) {
        const setting = byKey.get(`${table}.${name}`);
        const keySource = sourceAt([table, name]);
        if (setting === undefined) problems.push(unknownKeyProblem([table, name], keySource));
        else rawSettings.push({ setting, raw, source: keySource });
      }
    }
  }
  return { rawSettings, listTables, problems };
}

function isTable(value: unknown): value is object {
  return describeType(value) === 'a table';
}

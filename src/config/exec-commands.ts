/** Validates the tables [[command.exec]] of all files. A table in a later file replaces the whole table of that name. */

import type { ExecCommand } from '../core/model/commands-config.ts';
import { OPTIONAL_COMMANDS, READ_ONLY_COMMANDS } from '../core/model/commands-config.ts';
import { formatSource, type Problem, problemAt, type Source } from './errors/problem.ts';
import { execCommandFields } from './schema/command-fields.ts';
import { FieldReader, nameProblem, unknownFieldProblems } from './sources/field-reader.ts';
import type { RawCommand } from './sources/list-tables.ts';

export const EXEC_COMMANDS_MAX = 16;

const BUILT_IN: ReadonlySet<string> = new Set([...READ_ONLY_COMMANDS, ...OPTIONAL_COMMANDS]);
const PLACEHOLDER = /\{([a-z][A-Za-z0-9]*)\}/g;

/** `files` in ascending order of precedence. */
export function readExecCommands(files: readonly (readonly RawCommand[])[]): {
  readonly commands: readonly ExecCommand[];
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const byName = new Map<string, { readonly command: ExecCommand; readonly source: Source }>();
  for (const rawCommand of files.flat()) {
    const command = readCommand(rawCommand, problems);
    if (command === undefined) continue;
    const source = rawCommand.sourceOf('name');
    const earlier = byName.get(command.name);
    if (earlier !== undefined && earlier.source.name === source.name) {
      const what = `is already the name of another command (${formatSource(earlier.source)})`;
      problems.push(nameProblem(rawCommand, execCommandFields.name, what));
    }
    byName.set(command.name, { command, source });
  }
  const entries = [...byName.values()];
  const excess = entries[EXEC_COMMANDS_MAX];
  if (excess) {
    const bound = `at most ${EXEC_COMMANDS_MAX}`;
    problems.push(problemAt(excess.source, { key: '[[command.exec]]', what: 'has too many tables', bound }));
  }
  return { commands: entries.map(({ command }) => command), problems };
}

function readCommand(rawCommand: RawCommand, problems: Problem[]): ExecCommand | undefined {
  const before = problems.length;
  problems.push(...unknownFieldProblems(rawCommand, execCommandFields));
  const reader = new FieldReader(rawCommand, problems);
  const [name, words] = [reader.read(execCommandFields.name), reader.read(execCommandFields.command)];
  const parameters = reader.read(execCommandFields.parameters) ?? [];
  const [timeoutMs, outputBytesMax] = [
    reader.read(execCommandFields.timeout),
    reader.read(execCommandFields.output),
  ];
  if (name !== undefined && BUILT_IN.has(name))
    problems.push(nameProblem(rawCommand, execCommandFields.name, 'is the name of a built-in command'));
  const [program, ...args] = words ?? [];
  if (program !== undefined)
    problems.push(...placeholderProblems(rawCommand, [program, ...args], parameters));
  if (problems.length > before) return undefined;
  if (name === undefined || program === undefined) return undefined;
  if (timeoutMs === undefined || outputBytesMax === undefined) return undefined;
  return { name, argumentVector: [program, ...args], parameters, timeoutMs, outputBytesMax };
}

/** Every placeholder is a parameter, every parameter is used, and the program itself is fixed. */
function placeholderProblems(
  rawCommand: RawCommand,
  [program = '', ...args]: readonly string[],
  parameters: ExecCommand['parameters'],
): Problem[] {
  const namesIn = (word: string) => [...word.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  const known = parameters.map(({ name }) => name);
  const used = args.flatMap(namesIn);
  const unknown = used.find((name) => !known.includes(name));
  const unused = known.find((name) => !used.includes(name));
  const problem = (field: string, what: string): Problem =>
    problemAt(rawCommand.sourceOf(field), { key: `command.exec.${field}`, what });
  return [
    ...(namesIn(program).length > 0
      ? [problem('command', 'has a parameter in the path of the program')]
      : []),
    ...(unknown === undefined
      ? []
      : [problem('command', `uses {${unknown}}, which is not among the parameters`)]),
    ...(unused === undefined ? [] : [problem('parameters', `has ${unused}, which no argument uses`)]),
  ];
}

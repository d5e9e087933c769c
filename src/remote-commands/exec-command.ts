/**
 * A command that runs a program of the operator, as custom sensors do: without a shell, at low priority, and killed with its
 * process group at its time limit. The values of the server are arguments, checked by the patterns of the configuration.
 */

import { type CommandDefinition, commandError } from '../core/downlink/command-table.ts';
import type { ExecCommand } from '../core/model/commands-config.ts';
import { readParameters } from './parameters.ts';

/** What a program printed, or a problem as a predicate without its subject: "is not installed". */
export type ProgramOutput = { readonly output: string } | { readonly problem: string };

/** Runs a program without a shell. Never rejects. */
export type RunProgram = (
  program: {
    readonly argumentVector: readonly [string, ...string[]];
    readonly timeoutMs: number;
    readonly outputBytesMax: number;
  },
  signal: AbortSignal,
) => Promise<ProgramOutput>;

/** The program is stopped first, so that the reply says what it did. */
const GRACE_MS = 2_000;

export function execCommand(command: ExecCommand, runProgram: RunProgram): CommandDefinition {
  const { argumentVector, timeoutMs, outputBytesMax } = command;
  const parameters = command.parameters.map(({ name, pattern }) => ({
    name,
    pattern: new RegExp(`^(?:${pattern})$`, 'u'),
  }));
  return {
    timeoutMs: timeoutMs + GRACE_MS,
    isReadOnly: false,
    async run(params, signal) {
      const read = readParameters(params, parameters);
      if ('problem' in read) return commandError('bad-parameters', read.problem);
      const [program, ...args] = argumentVector;
      const filledIn: [string, ...string[]] = [program, ...args.map((word) => fillIn(word, read.values))];
      const result = await runProgram({ argumentVector: filledIn, timeoutMs, outputBytesMax }, signal);
      return 'problem' in result
        ? commandError('failed', `${program} ${result.problem}`)
        : { ok: true, reply: { output: result.output } };
    },
  };
}

/** Replaces each {name}; a word stays one argument whatever the value contains. */
function fillIn(word: string, values: ReadonlyMap<string, string>): string {
  return word.replace(
    /\{([a-z][A-Za-z0-9]*)\}/g,
    (placeholder, name: string) => values.get(name) ?? placeholder,
  );
}

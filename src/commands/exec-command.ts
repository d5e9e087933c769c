/**
 * A command that runs a program of the operator, as custom sensors do: without a shell, at low priority, killed with its
 * process group at its time limit, and with PATH and LANG as its whole environment.
 */

import { type CommandDefinition, commandError } from '../core/downlink/command-table.ts';
import type { ExecCommand } from '../core/model/exec-command.ts';
import type { Clock } from '../core/ports/clock.ts';
import { DEFAULT_PATH, runProgram } from '../host/process/run-program.ts';
import { readParameters } from './parameters.ts';

const LOWEST_PRIORITY = 19;
const LANGUAGE = 'C.UTF-8';
/** The program is stopped first, so that its own sentence is the reply. */
const GRACE_MS = 2_000;

export function execCommand(command: ExecCommand, clock: Pick<Clock, 'sleep'>): CommandDefinition {
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
      const [program = '', ...args] = argumentVector.map((word) => fillIn(word, read.values));
      const result = await runProgram(
        {
          command: program,
          arguments: args,
          environment: { PATH: process.env['PATH'] ?? DEFAULT_PATH, LANG: process.env['LANG'] ?? LANGUAGE },
          deadlineMs: timeoutMs,
          outputBytesMax,
          errorLine: 'last line',
          niceness: LOWEST_PRIORITY,
        },
        clock,
        signal,
      );
      if (!result.ok) return commandError('failed', `${argumentVector[0]} ${result.problem}`);
      return { ok: true, reply: { output: result.output.toString('utf8') } };
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

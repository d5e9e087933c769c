/**
 * Asks another program one short question: what it printed, or nothing; or, for who can say it to somebody, why not.
 *
 * It gets a path and a locale of our environment and what the question adds, and has a deadline and 4 KiB (run-program.ts). For
 * `askCommand` that it is not there, cannot be started, fails or is killed is all one answer: nothing. Neither function rejects.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { DEFAULT_PATH, type Program, runProgram } from './run-program.ts';

export interface CommandSpec {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly deadlineMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

const OUTPUT_BYTES_MAX = 4096;

/** What a program printed, or a sentence without a subject on why there is nothing: "is not installed". */
export type CommandResult =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly problem: string };

export async function runCommand(
  spec: CommandSpec,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = await run(spec, 'none', clock, signal);
  return result.ok ? result.output : undefined;
}

/** As askCommand; what the program complains about on its standard error is in the problem. */
export function runForError(
  spec: CommandSpec,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<CommandResult> {
  return run(spec, 'first line', clock, signal);
}

async function run(
  { environment, ...spec }: CommandSpec,
  errorLine: Program['errorLine'],
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<CommandResult> {
  const program: Program = {
    ...spec,
    environment: { PATH: process.env['PATH'] ?? DEFAULT_PATH, LC_ALL: 'C', ...environment },
    outputBytesMax: OUTPUT_BYTES_MAX,
    errorLine,
  };
  const result = await runProgram(program, clock, signal);
  return result.ok ? { ok: true, output: result.output.toString('latin1') } : result;
}

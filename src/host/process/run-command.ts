/**
 * Runs a short command of the host and returns what it printed, at most 4 KiB.
 *
 * The command gets PATH, the C locale and the variables of its spec (run-program.ts). Never rejects.
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

/** What a command printed, or why it failed, as a predicate without its subject: "is not installed". */
export type CommandResult =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly problem: string };

/** The output, or undefined if the command is missing, cannot be started, fails or is killed. */
export async function runCommand(
  spec: CommandSpec,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = await run(spec, 'none', clock, signal);
  return result.ok ? result.output : undefined;
}

/**
 * As runCommand, but reports why there is no output: the first line of the standard error, if there is one.
 */
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

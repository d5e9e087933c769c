/**
 * Asks another program one short question: what it printed, or nothing; or, for who can say it to somebody, why not.
 *
 * It gets a path and a locale of our environment and what the question adds, and has a deadline and 4 KiB (run-program.ts). For
 * `askCommand` that it is not there, cannot be started, fails or is killed is all one answer: nothing. Neither function rejects.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { DEFAULT_PATH, type Program, runProgram } from './run-program.ts';

export interface Question {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly deadlineMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

const OUTPUT_BYTES_MAX = 4096;

/** What a program printed, or a sentence without a subject on why there is nothing: "is not installed". */
export type Answer =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly problem: string };

export async function askCommand(
  question: Question,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const answer = await ask(question, 'none', clock, signal);
  return answer.ok ? answer.output : undefined;
}

/** As askCommand; what the program complains about on its standard error is in the problem. */
export function askForReason(
  question: Question,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<Answer> {
  return ask(question, 'first line', clock, signal);
}

async function ask(
  { environment, ...question }: Question,
  complaint: Program['complaint'],
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<Answer> {
  const program: Program = {
    ...question,
    environment: { PATH: process.env['PATH'] ?? DEFAULT_PATH, LC_ALL: 'C', ...environment },
    outputBytesMax: OUTPUT_BYTES_MAX,
    complaint,
  };
  const outcome = await runProgram(program, clock, signal);
  return outcome.ok ? { ok: true, output: outcome.output.toString('latin1') } : outcome;
}

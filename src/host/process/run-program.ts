/**
 * Runs another program once: what it printed, or why there is nothing.
 *
 * Without a shell, without an input, in a process group of its own, with the environment that is given and nothing else. It has
 * a deadline and so many bytes; beyond either, or when the signal aborts, the whole group is killed, and so is what holds the
 * program's output after its end. What it has left running without its output is killed when it has ended. Never rejects.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { ChildAbortController } from '../../core/async/abort.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { killGroup } from './kill-group.ts';

export interface Program {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly outputBytesMax: number;
  /** Which line of its standard error says why it failed; none: nobody reads it. */
  readonly errorLine: 'none' | 'first line' | 'last line';
  /** 0 to 19; where the system allows no other, that of the agent. */
  readonly niceness?: number;
}

/** What a program printed, or a sentence without a subject on why there is nothing: "is not installed". */
export type ProgramResult =
  | { readonly ok: true; readonly output: Buffer }
  | { readonly ok: false; readonly problem: string };

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const ERROR_TEXT_CHARACTERS_MAX = 160;
/** Of a long complaint so much is kept of its beginning or its end. */
const ERROR_TEXT_BYTES_MAX = 2048;

export async function runProgram(
  program: Program,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<ProgramResult> {
  if (signal.aborted) return failure('is not asked: the agent stops');
  using cancel = new ChildAbortController(signal);
  const { deadlineMs } = program;
  let child: ChildProcess | undefined;
  try {
    child = start(program);
    const output = outputOf(child, program);
    const deadline = clock
      .sleep(deadlineMs, cancel.signal)
      .then(() => failure(timeoutProblem(child, deadlineMs)));
    return await Promise.race([output, deadline]);
  } catch (error) {
    return failure(`cannot be started: ${errorMessage(error)}`);
  } finally {
    cancel.abort();
    if (child !== undefined) killGroup(child);
  }
}

function start({ command, arguments: args, environment, errorLine, niceness }: Program): ChildProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', errorLine === 'none' ? 'ignore' : 'pipe'],
    detached: true,
    cwd: '/',
    env: environment,
  });
  try {
    if (niceness !== undefined && child.pid !== undefined) setPriority(child.pid, niceness);
  } catch {
    // It has ended already, or the unit's filter of system calls is in the way; there CPUWeight= holds it back.
  }
  return child;
}

/** Resolves when the program has ended and nobody holds its output any more, or before when it failed. */
function outputOf(child: ChildProcess, { errorLine, outputBytesMax }: Program): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let errorText = '';
    child.on('error', (error: NodeJS.ErrnoException) => resolve(failure(startProblem(error))));
    child.stdout?.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > outputBytesMax) resolve(failure(`printed more than ${outputBytesMax} bytes`));
      else chunks.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      const text = errorText + chunk.toString('latin1');
      errorText =
        errorLine === 'last line' ? text.slice(-ERROR_TEXT_BYTES_MAX) : text.slice(0, ERROR_TEXT_BYTES_MAX);
    });
    child.on('close', (code, killSignal) => {
      if (code === 0) resolve({ ok: true, output: Buffer.concat(chunks) });
      else resolve(failure(pickLine(errorText, errorLine) || `ended with ${killSignal ?? `status ${code}`}`));
    });
  });
}

function failure(problem: string): ProgramResult {
  return { ok: false, problem };
}

function startProblem({ code, message }: NodeJS.ErrnoException): string {
  return code === 'ENOENT' ? 'is not installed' : `cannot be started: ${message}`;
}

function timeoutProblem(child: ChildProcess | undefined, deadlineMs: number): string {
  return child?.exitCode === 0
    ? `left something running that holds its output beyond ${deadlineMs} ms`
    : `did not answer within ${deadlineMs} ms`;
}

/** The line, cleaned. */
function pickLine(text: string, which: Program['errorLine']): string {
  const lines = text.trim().split('\n');
  return ((which === 'last line' ? lines.at(-1) : lines[0]) ?? '')
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, ERROR_TEXT_CHARACTERS_MAX);
}

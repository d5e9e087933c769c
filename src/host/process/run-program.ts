/**
 * Runs another program once, without a shell and without input, in its own process group and with only the
 * given environment.
 *
 * At its deadline, above its output limit or on abort the whole group is killed, including processes that
 * still hold its output. Other processes that it leaves running are killed when it ends. Never rejects.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { ChildAbortController } from '../../core/async/abort.ts';
import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { Clock } from '../../core/ports/clock.ts';

export interface Program {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly outputBytesMax: number;
  /**
   * Which line of its standard error becomes the problem if it fails. `none`: standard error is discarded.
   */
  readonly errorLine: 'none' | 'first line' | 'last line';
  /** True: an exit code other than 0 is a result, too, such as that of a check. */
  readonly acceptsAnyExitCode?: boolean;
  /** 0 to 19. If the system does not allow it, the program keeps the agent's. */
  readonly niceness?: number;
}

/** What a program printed, or why it failed, as a predicate without its subject: "is not installed". */
export type ProgramResult =
  | { readonly ok: true; readonly output: Buffer }
  | { readonly ok: false; readonly problem: string };

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const ERROR_TEXT_CHARACTERS_MAX = 160;
/** How much of the standard error is kept, from its start or its end. */
const ERROR_TEXT_BYTES_MAX = 2048;

export async function runProgram(
  program: Program,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<ProgramResult> {
  if (signal.aborted) return failure('was not started: the agent is stopping');
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
    // It has ended already, or the unit's SystemCallFilter= forbids it; there CPUWeight= limits the program.
  }
  return child;
}

/** Resolves when the program has ended and its output is closed, or earlier if it fails. */
function outputOf(
  child: ChildProcess,
  { errorLine, outputBytesMax, acceptsAnyExitCode = false }: Program,
): Promise<ProgramResult> {
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
      if (code === 0 || (acceptsAnyExitCode && code !== null && length > 0))
        resolve({ ok: true, output: Buffer.concat(chunks) });
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
    ? `left a process running that kept its output open for more than ${deadlineMs} ms`
    : `did not finish within ${deadlineMs} ms`;
}

/** The line as printable ASCII, bounded. */
function pickLine(text: string, which: Program['errorLine']): string {
  const lines = text.trim().split('\n');
  return ((which === 'last line' ? lines.at(-1) : lines[0]) ?? '')
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, ERROR_TEXT_CHARACTERS_MAX);
}

/**
 * Kills a child that has its own process group, with every process it started. Also releases the child's
 * handles, so that a process that cannot die (a read that hangs in the kernel) holds up nothing.
 */
export function killGroup(
  child: Pick<ChildProcess, 'pid' | 'exitCode' | 'signalCode' | 'stdout' | 'stderr' | 'unref'>,
): void {
  const { pid } = child;
  if (pid !== undefined && !isPidReused(child, pid)) signalProcess(-pid, 'SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}

/**
 * The kernel does not reuse the number of a group that has members. So if a process has it after the child
 * has ended, the group is empty and the number belongs to another process.
 */
function isPidReused(
  { exitCode, signalCode }: Pick<ChildProcess, 'exitCode' | 'signalCode'>,
  pid: number,
): boolean {
  return (exitCode !== null || signalCode !== null) && signalProcess(pid, 0);
}

/** Whether a process or group with that number exists. */
function signalProcess(pid: number, signal: 'SIGKILL' | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return errorCode(error) !== 'ESRCH';
  }
}

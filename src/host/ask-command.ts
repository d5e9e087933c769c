/**
 * Asks another program one short question: what it printed, or nothing; or, for who can say it to somebody, why not.
 *
 * Run without a shell, in a process group of its own, with a path and a locale of our environment and what the question adds,
 * nothing else. It has a deadline and 4 KiB; beyond either, or when the signal aborts, the whole group is killed. For `askCommand` that it is not
 * there, cannot be started, fails or is killed is all one answer: nothing. Neither function rejects.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { LinkedAbort } from '../core/linked-abort.ts';
import type { Clock } from '../core/ports.ts';
import { endGroup } from './end-group.ts';

export interface Question {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly deadlineMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

const OUTPUT_BYTES_MAX = 4096;
const COMPLAINT_BYTES_MAX = 160;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a program printed, or a sentence without a subject on why there is nothing: "is not installed". */
export type Answer =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly problem: string };

export async function askCommand(
  question: Question,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const answer = await ask(question, 'ignore', clock, signal);
  return answer.ok ? answer.output : undefined;
}

/** As askCommand; what the program complains about on its standard error is in the problem. */
export function askForReason(
  question: Question,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<Answer> {
  return ask(question, 'pipe', clock, signal);
}

async function ask(
  { command, arguments: args, deadlineMs, environment }: Question,
  stderr: 'ignore' | 'pipe',
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<Answer> {
  if (signal.aborted) return failed('is not asked: the agent stops');
  using over = new LinkedAbort(signal);
  let child: ChildProcess | undefined;
  let isOver = false;
  try {
    child = spawn(command, args, {
      stdio: ['ignore', 'pipe', stderr],
      detached: true,
      env: { PATH: process.env['PATH'] ?? PATH, LC_ALL: 'C', ...environment },
    });
    const output = outputOf(child, () => {
      isOver = true;
    });
    const late = clock
      .sleep(deadlineMs, over.signal)
      .then(() => failed(`did not answer within ${deadlineMs} ms`));
    return await Promise.race([output, late]);
  } catch (error) {
    return failed(`cannot be started: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    over.abort();
    if (child !== undefined && !isOver) endGroup(child);
  }
}

function failed(problem: string): Answer {
  return { ok: false, problem };
}

/** `closed` is called when the program has ended and nobody holds its output any more. */
function outputOf(child: ChildProcess, closed: () => void): Promise<Answer> {
  return new Promise((resolve) => {
    let output = '';
    let complaint = '';
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(failed(error.code === 'ENOENT' ? 'is not installed' : `cannot be started: ${error.message}`)),
    );
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (output.length > OUTPUT_BYTES_MAX) resolve(failed(`printed more than ${OUTPUT_BYTES_MAX} bytes`));
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (complaint.length < COMPLAINT_BYTES_MAX) complaint += chunk.toString('latin1');
    });
    child.on('close', (code, killedBy) => {
      closed();
      if (code === 0) resolve({ ok: true, output });
      else resolve(failed(complaintOf(complaint) || `ended with ${killedBy ?? `status ${code}`}`));
    });
  });
}

/** The first line, cleaned. */
function complaintOf(text: string): string {
  return (text.trim().split('\n', 1)[0] ?? '')
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, COMPLAINT_BYTES_MAX);
}

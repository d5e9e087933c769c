/**
 * Asks another program one short question: what it printed, or nothing.
 *
 * Run without a shell, in a process group of its own, with a path and a locale of our environment and what the question adds,
 * nothing else. It has a deadline and 4 KiB; beyond either, or when the signal aborts, the whole group is killed. That it is not there, cannot be
 * started, fails or is killed is all one answer: nothing. Never rejects.
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
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export async function askCommand(
  { command, arguments: args, deadlineMs, environment }: Question,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (signal.aborted) return undefined;
  using over = new LinkedAbort(signal);
  let child: ChildProcess | undefined;
  let isOver = false;
  try {
    child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
      env: { PATH: process.env['PATH'] ?? PATH, LC_ALL: 'C', ...environment },
    });
    const output = outputOf(child, () => {
      isOver = true;
    });
    return await Promise.race([output, clock.sleep(deadlineMs, over.signal).then(() => undefined)]);
  } catch {
    return undefined;
  } finally {
    over.abort();
    if (child !== undefined && !isOver) endGroup(child);
  }
}

/** `closed` is called when the program has ended and nobody holds its output any more. */
function outputOf(child: ChildProcess, closed: () => void): Promise<string | undefined> {
  return new Promise((resolve) => {
    let output = '';
    child.on('error', () => resolve(undefined));
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (output.length > OUTPUT_BYTES_MAX) resolve(undefined);
    });
    child.on('close', (code) => {
      closed();
      resolve(code === 0 ? output : undefined);
    });
  });
}

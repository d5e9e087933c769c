/** Programs of this machine, run to their end: what they printed, and an error with their words when they fail. */

import { execFile } from 'node:child_process';

export interface Ended {
  /** null when a signal or the time limit ended it. */
  readonly code: number | null;
  /** What it printed, errors included. */
  readonly out: string;
}

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** How it ended, whatever that is; a program that is not there ends with 127. */
export function attempt(command: readonly string[], withinMs = 30_000): Promise<Ended> {
  const [program = '', ...given] = command;
  return new Promise((resolve) => {
    const options = { timeout: withinMs, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const;
    execFile(program, given, options, (error, stdout, stderr) => {
      const code =
        error === null
          ? 0
          : typeof error.code === 'number'
            ? error.code
            : error.code === 'ENOENT'
              ? 127
              : null;
      resolve({ code, out: `${stdout}${stderr}` });
    });
  });
}

/** What it printed; rejects when it does not end with 0. */
export async function run(command: readonly string[], withinMs = 30_000): Promise<string> {
  const { code, out } = await attempt(command, withinMs);
  if (code === 0) return out;
  const how = code === null ? `did not end well within ${withinMs / 1000} s` : `ended with ${code}`;
  throw new Error(`${command.join(' ')} ${how}: ${out.trim().split('\n').slice(-5).join(' | ')}`);
}

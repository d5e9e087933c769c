/**
 * Runs programs of this machine to their end and returns their output; `run` rejects with the last lines if a
 * program fails.
 */

import { execFile } from 'node:child_process';

export interface CommandResult {
  /** null if a signal or the time limit ended it. */
  readonly code: number | null;
  /** Standard output followed by standard error. */
  readonly out: string;
}

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Never rejects; a program that does not exist has the exit code 127. */
export function attempt(command: readonly string[], withinMs = 30_000): Promise<CommandResult> {
  const [program = '', ...commandArguments] = command;
  return new Promise((resolve) => {
    const options = { timeout: withinMs, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const;
    execFile(program, commandArguments, options, (error, stdout, stderr) => {
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

/** Returns the output; rejects if the exit code is not 0. */
export async function run(command: readonly string[], withinMs = 30_000): Promise<string> {
  const { code, out } = await attempt(command, withinMs);
  if (code === 0) return out;
  const result =
    code === null ? `was killed, or did not end within ${withinMs / 1000} s` : `ended with ${code}`;
  throw new Error(`${command.join(' ')} ${result}: ${out.trim().split('\n').slice(-5).join(' | ')}`);
}

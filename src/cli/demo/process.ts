/**
 * Starts this program again as a child process for the demo. The children are in the process group of the demo, so Ctrl-C
 * reaches them, too; stopping an ended child does nothing.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { NODE_FLAGS } from '../../app/node-flags.ts';

export interface SelfProcess {
  readonly firstLine: Promise<string>;
  /** Aborts when the process has ended. */
  readonly ended: AbortSignal;
  stop(): Promise<void>;
}

/** Time for a child to stop after SIGTERM, before SIGKILL, ms. */
const STOP_MS = 5_000;

export function startSelf(
  commandLine: readonly string[],
  onLine: (line: string) => void = () => {},
): SelfProcess {
  const child = spawn(process.execPath, [...NODE_FLAGS, process.argv[1] ?? '', ...commandLine], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new AbortController();
  const end = new Promise<void>((resolve) => {
    child.once('close', () => {
      ended.abort();
      resolve();
    });
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', onLine);
  const firstLine = new Promise<string>((resolve) => {
    lines.once('line', resolve);
    void end.then(() => resolve('it ended without output'));
  });
  return {
    firstLine,
    ended: ended.signal,
    async stop() {
      if (ended.signal.aborted) return;
      child.kill('SIGTERM');
      const killTimer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await end;
      clearTimeout(killTimer);
    },
  };
}

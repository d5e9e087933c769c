/**
 * This program run again as a child, for the demo: its lines, its end, and a stop that waits.
 *
 * The children are in the demo's process group, so Ctrl-C reaches them too; stopping one that has ended
 * already is harmless.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { NODE_FLAGS } from '../../app/node-flags.ts';

export interface ChildAgent {
  readonly firstLine: Promise<string>;
  /** Aborted when the process has ended. */
  readonly ended: AbortSignal;
  stop(): Promise<void>;
}

/** How long a child may take to stop by itself, ms. */
const STOP_MS = 5_000;

export function startSelf(
  commandLine: readonly string[],
  onLine: (line: string) => void = () => {},
): ChildAgent {
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

/** Runs `firstlight sample` as a process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { MAIN } from '../../paths.ts';

/** Longer than it takes on a busy machine; then it is killed, so that a failed test leaves no process. */
export const PATIENCE_MS = 30_000;

export async function sample(words: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'sample', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  const [output, complained] = [text(child.stdout), text(child.stderr)];
  const [code, signal] = await once(child, 'close');
  return { output: await output, complained: await complained, code, signal };
}

/**
 * Changes the installed program so that a test can block one of its loops: as soon as a file exists, the loop
 * waits for ever, like on a promise that a bug never settles. Everything else keeps running, so only a
 * watchdog that tracks each loop can detect it.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The function of src/agent/agent.ts that holds the loop. */
export type Loop = 'runSampling' | 'runSession';

const CODE = join('usr', 'lib', 'firstlight', 'code');

/** The file that blocks the loop, in a directory that every service can see. */
export function blockerOf(loop: Loop): string {
  return `/run/firstlight-test-block-${loop}`;
}

/** Changes the program below `root`. Rejects if it has no such function or the function has no loop. */
export async function makeBlockable(root: string, loop: Loop): Promise<void> {
  const { file, text, begin } = await findFileWith(`async function ${loop}(`, join(root, CODE));
  const end = text.indexOf('async function ', begin + 1);
  // The bundler turns `while (…)` into `for(;…;)`.
  const loopStart = /for\(;[^;]*;\)\{/.exec(text.slice(begin, end));
  if (begin < 0 || !loopStart)
    throw new Error(`the program has no loop in a function called ${loop}: has src/agent/agent.ts changed?`);
  const at = begin + loopStart.index + loopStart[0].length;
  const block = `if(process.getBuiltinModule('node:fs').existsSync('${blockerOf(loop)}'))await new Promise(()=>{});`;
  await writeFile(file, text.slice(0, at) + block + text.slice(at));
}

async function findFileWith(
  words: string,
  code: string,
): Promise<{ file: string; text: string; begin: number }> {
  for (const name of await readdir(code)) {
    const file = join(code, name);
    const text = await readFile(file, 'utf8');
    const begin = text.indexOf(words);
    if (begin >= 0) return { file, text, begin };
  }
  return { file: code, text: '', begin: -1 };
}

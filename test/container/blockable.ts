/**
 * The installed program with a way to block one of its loops: from the moment a file exists, the loop waits for ever, as it would for a promise
 * that a bug never settles. Everything else goes on, so only a watchdog that asks for the progress of each loop can notice.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Loop = 'sample' | 'converse';

const CODE = join('usr', 'lib', 'firstlight', 'code');

/** The file that blocks it; where every service can see it. */
export function blockerOf(loop: Loop): string {
  return `/run/firstlight-test-block-${loop}`;
}

/** Changes the program below `root`. Rejects when it has no loop of that name. */
export async function makeBlockable(root: string, loop: Loop): Promise<void> {
  const { file, text, begin } = await partWith(`async function ${loop}(`, join(root, CODE));
  const end = text.indexOf('async function ', begin + 1);
  // `while (…)` in the sources; the bundler makes it `for(;…;)`.
  const found = /for\(;[^;]*;\)\{/.exec(text.slice(begin, end));
  if (begin < 0 || !found)
    throw new Error(`the program has no loop in a function called ${loop}: src/agent.ts has changed?`);
  const at = begin + found.index + found[0].length;
  const block = `if(process.getBuiltinModule('node:fs').existsSync('${blockerOf(loop)}'))await new Promise(()=>{});`;
  await writeFile(file, text.slice(0, at) + block + text.slice(at));
}

async function partWith(words: string, code: string): Promise<{ file: string; text: string; begin: number }> {
  for (const name of await readdir(code)) {
    const file = join(code, name);
    const text = await readFile(file, 'utf8');
    const begin = text.indexOf(words);
    if (begin >= 0) return { file, text, begin };
  }
  return { file: code, text: '', begin: -1 };
}

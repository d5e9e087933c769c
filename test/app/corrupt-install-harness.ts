/** The program as a bundle with a missing or truncated part. */

import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MAIN } from '../paths.ts';

/** A copy that a test can damage. */
export function copyTo(directory: string): { main: string; code: string } {
  const copy = { main: join(directory, 'firstlight.mjs'), code: join(directory, 'code') };
  cpSync(MAIN, copy.main);
  cpSync(join(dirname(MAIN), 'code'), copy.code, { recursive: true });
  return copy;
}

/** For the programs that compiled.mjs runs: what they were asked. */

import { readFileSync } from 'node:fs';

export function asked() {
  return JSON.parse(readFileSync(process.argv[2], 'utf8'));
}

/** The parameters of a program that compiled.mjs runs. */

import { readFileSync } from 'node:fs';

export function readParameters() {
  return JSON.parse(readFileSync(process.argv[2], 'utf8'));
}

/** Paths of the compiled program, for tests that run it as a process. */

import { join } from 'node:path';

/** The root of the project. */
export const PROJECT = join(import.meta.dirname, '..', '..');
/** The compiled entry, `node MAIN <command>`. */
export const MAIN = join(PROJECT, 'dist', 'src', 'main.js');

/** Paths of the compiled program, for tests that run it as a process. */

import { join } from 'node:path';

/** The root of the project. */
export const PROJECT = join(import.meta.dirname, '..', '..');
/** The program as it is installed, `node MAIN <command>`: it starts in two thirds of the time of the compiled files. */
export const MAIN = join(PROJECT, 'dist', 'firstlight.mjs');
/** The compiled entry: for tests that look into its modules, or need the files of a clone. */
export const COMPILED_MAIN = join(PROJECT, 'dist', 'src', 'main.js');

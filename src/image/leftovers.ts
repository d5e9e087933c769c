/**
 * What the agent has left in its state directory and a clone must not have: credentials with their copies, and readings that wait.
 *
 * Removing runs as root in a directory that belongs to the service's user: no link is followed, nothing is written through one. Credentials are
 * overwritten first, since an image takes the free blocks of a disk along. What is not the agent's is never touched.
 */

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';

export interface Leftovers {
  /** Names in the state directory. */
  readonly credentials: readonly string[];
  readonly spool: readonly string[];
  /** Not the agent's. */
  readonly foreign: readonly string[];
}

/** credentials.json, its backup, what was set aside, and what a killed agent was writing. */
const CREDENTIALS = /^credentials\b.*\.json(\.tmp-\w+)?$/;
const SPOOL: string = 'spool';

/** Undefined where there is no such directory. Throws what the system says when it may not be read. */
export function findLeftovers(state: string): Leftovers | undefined {
  let names: readonly string[];
  try {
    names = readdirSync(state).sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const credentials = names.filter((name) => CREDENTIALS.test(name));
  const spool = names.filter((name) => name === SPOOL);
  const foreign = names.filter((name) => !credentials.includes(name) && !spool.includes(name));
  return { credentials, spool, foreign };
}

export function removeLeftovers(state: string, { credentials, spool }: Leftovers): void {
  for (const name of credentials) {
    overwrite(join(state, name));
    rmSync(join(state, name), { force: true, recursive: true });
  }
  for (const name of spool) rmSync(join(state, name), { force: true, recursive: true });
  const directory = openSync(state, constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function overwrite(path: string): void {
  let file: number;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return; // a link, a directory: nothing of ours is in it, and removing it touches nothing else
  }
  try {
    const stats = fstatSync(file);
    // A second name could be anybody's file.
    if (!stats.isFile() || stats.nlink > 1) return;
    writeSync(file, Buffer.alloc(Number(stats.size)), 0, stats.size, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Finds and removes the data of the agent that a clone must not have: credentials with their copies, queued readings, and what
 * the server made for this gateway: settings, and the update that it assigned.
 *
 * The removal runs as root in a directory of the service's user and follows no link. Credentials are overwritten first, because
 * an image contains the free blocks of the disk.
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
  /** Names in the state directory, as in the other lists. */
  readonly credentials: readonly string[];
  readonly spool: readonly string[];
  readonly settings: readonly string[];
  /** Not the agent's. */
  readonly foreign: readonly string[];
}

/** credentials.json, its backup, archived records, and temporary files of a killed agent. */
const CREDENTIALS = /^credentials\b.*\.json(\.tmp-\w+)?$/;
const SPOOL: string = 'spool';
const SETTINGS = /^remote-settings\.json|^update$/;

/** Undefined if the directory does not exist. Throws the system's error if it cannot be read. */
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
  const settings = names.filter((name) => SETTINGS.test(name));
  const own = new Set([...credentials, ...spool, ...settings]);
  return { credentials, spool, settings, foreign: names.filter((name) => !own.has(name)) };
}

export function removeLeftovers(state: string, { credentials, spool, settings }: Leftovers): void {
  for (const name of credentials) {
    overwrite(join(state, name));
    rmSync(join(state, name), { force: true, recursive: true });
  }
  for (const name of [...spool, ...settings]) rmSync(join(state, name), { force: true, recursive: true });
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
    return; // a link or a directory contains no credentials
  }
  try {
    const stats = fstatSync(file);
    // A file with a second name could belong to another program.
    if (!stats.isFile() || stats.nlink > 1) return;
    writeSync(file, Buffer.alloc(Number(stats.size)), 0, stats.size, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

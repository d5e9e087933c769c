/**
 * The request of the agent: a file in its runtime directory, which starts firstlight-update.service. It contains an id, by which
 * the agent recognises the result; nothing else of it is believed.
 */

import {
  closeSync,
  constants,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';

export const REQUEST_FILE = 'update-request';
const ID_PATTERN = /^[\w-]{1,80}$/;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Unique for the boot and the time since boot, ms. */
export const requestId = (bootId: string, bootMs: number): string => `${bootId}-${Math.round(bootMs)}`;

/** The file appears with its content. */
export function writeRequest(runtime: string, id: string): void {
  const file = join(runtime, REQUEST_FILE);
  writeFileSync(`${file}.new`, id);
  renameSync(`${file}.new`, file);
}

/**
 * For root: removes what has the name of the request, whatever it is, and follows no link. Undefined if there is nothing; `id` is
 * undefined if it is not a valid one. Throws what the system reports, such as for a directory that is not empty: to empty it is
 * not safe, because the agent's user could replace it by a link meanwhile.
 */
export function takeRequest(runtime: string): { readonly id: string | undefined } | undefined {
  const file = join(runtime, REQUEST_FILE);
  const text = readStart(file);
  try {
    unlinkSync(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (errorCode(error) !== 'EISDIR' && errorCode(error) !== 'EPERM') throw error;
    rmdirSync(file);
  }
  return { id: ID_PATTERN.test(text) ? text : undefined };
}

function readStart(path: string): string {
  try {
    const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(100);
      return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

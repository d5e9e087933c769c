/**
 * Erases an imported file from the boot partition: overwrites it first, so that its secret cannot be undeleted, then removes it.
 *
 * FAT has no journal, so the first sector is overwritten first and marks the file as done: a file that starts with the mark is an
 * interrupted removal. The mark is shorter than any valid file, so the file never grows. The flash itself may keep old data.
 */

import { dirname } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import type { Disk } from './disk.ts';

export const DONE_MARK = '# firstlight: done\n';
const NOTICE = `${DONE_MARK}# The configuration in this file was imported. This file can be deleted.\n`;
/** Every disk writes a sector completely or not at all. */
const SECTOR_BYTES = 512;
const CHUNK_BYTES = 16 * 1024;

export function isErased(bytes: Buffer): boolean {
  return bytes.subarray(0, DONE_MARK.length).toString('latin1') === DONE_MARK;
}

export type EraseResult =
  | { readonly is: 'removed' }
  /** The file still contains the secret. */
  | { readonly is: 'unchanged'; readonly error: unknown }
  /** At least partly overwritten, not removed. */
  | { readonly is: 'overwritten'; readonly error: unknown };

export function eraseFile(disk: Disk, path: string, bytes: number): EraseResult {
  let isStarted = false;
  try {
    const blank = Buffer.alloc(bytes, '\n');
    blank.write(NOTICE, 'latin1');
    disk.overwrite(path, blank.subarray(0, SECTOR_BYTES), 0);
    isStarted = true;
    for (let from = SECTOR_BYTES; from < bytes; from += CHUNK_BYTES) {
      disk.overwrite(path, blank.subarray(from, from + CHUNK_BYTES), from);
    }
    disk.remove(path);
    disk.sync(dirname(path));
    return { is: 'removed' };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { is: 'removed' };
    return { is: isStarted ? 'overwritten' : 'unchanged', error };
  }
}

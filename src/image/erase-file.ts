/**
 * Takes an imported file off the boot partition, so that its secret cannot be got back by undeleting: written over first,
 * then removed.
 *
 * FAT keeps no journal, so each step must be told from the outside: the first sector is written first and says "done"; a file that
 * begins so is a removal that was cut short, never a configuration. The mark is shorter than any file that can be
 * imported, so the file never grows. (What the flash behind the file system keeps is beyond any program.)
 */

import { dirname } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import type { Disk } from './disk.ts';

export const DONE_MARK = '# firstlight: done\n';
const WORDS = `${DONE_MARK}# The configuration that was here has been taken. This file may be deleted.\n`;
/** What every disk writes wholly or not at all. */
const SECTOR_BYTES = 512;
const CHUNK_BYTES = 16 * 1024;

export function isRetired(bytes: Buffer): boolean {
  return bytes.subarray(0, DONE_MARK.length).toString('latin1') === DONE_MARK;
}

export type RetireResult =
  | { readonly is: 'removed' }
  /** Nothing was changed: the secret is still in it. */
  | { readonly is: 'unchanged'; readonly error: unknown }
  /** Overwritten, at least in part, and still there. */
  | { readonly is: 'overwritten'; readonly error: unknown };

export function retire(disk: Disk, path: string, bytes: number): RetireResult {
  let isStarted = false;
  try {
    const blank = Buffer.alloc(bytes, '\n');
    blank.write(WORDS, 'latin1');
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

/**
 * Durable directories: what conf leaves to its caller.
 *
 * A rename is durable only once the directory that holds the name is on the disk too (fsync(2)); conf syncs
 * the file and not the directory.
 */

import { chmod, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes `directory` private to its owner (0700), durably; parents are made if they are missing. */
export async function makePrivateDirectory(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncDirectory(dirname(made));
  const { mode } = await stat(directory);
  if ((mode & 0o077) !== 0) await chmod(directory, 0o700);
}

/** Returns when the names in `directory` survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Durable directories: what conf leaves to its caller.
 *
 * A rename is durable only once the directory that holds the name is on the disk too (fsync(2)); conf syncs
 * the file and not the directory.
 */

import { chmod, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError } from './store-error.ts';

/** Makes `directory` private to its owner (0700), durably; parents are made if they are missing. */
export async function makePrivateDirectory(directory: string): Promise<void> {
  const created = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (created !== undefined) await syncDirectory(dirname(created));
  const { mode } = await stat(directory);
  if ((mode & 0o077) === 0) return;
  // Closing somebody else's directory, such as /tmp given by mistake, would break more than it protects.
  const foreign = (await readdir(directory)).find(
    (name) => !name.startsWith('credentials') && name !== 'spool',
  );
  if (foreign !== undefined) {
    throw new StoreError(
      `the state directory ${directory} is open to others and holds other files (${foreign}): give firstlight a directory of its own with --state`,
    );
  }
  await chmod(directory, 0o700);
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

/**
 * Private and durable directories. A rename is durable only after its directory is synced (fsync(2)); conf syncs the file only.
 */

import { chmod, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError } from './store-error.ts';

/** Makes `directory` private to its owner (0700), durably; creates it with its parents if it is missing. */
export async function makePrivateDirectory(directory: string): Promise<void> {
  const created = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (created !== undefined) await syncDirectory(dirname(created));
  const { mode } = await stat(directory);
  if ((mode & 0o077) === 0) return;
  // Restricting a shared directory, such as /tmp by mistake, would break other programs.
  const foreign = (await readdir(directory)).find(
    (name) => !name.startsWith('credentials') && name !== 'spool',
  );
  if (foreign !== undefined) {
    throw new StoreError(
      `the state directory ${directory} is accessible to other users and contains other files (${foreign}): choose a private directory with --state`,
    );
  }
  await chmod(directory, 0o700);
}

/** Resolves when the names in `directory` survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Private, durable directories, and regular files in them. A rename is durable only after its directory is synced (fsync(2)).
 * Files of another user are opened without following a link and without blocking on a FIFO; the descriptor is checked, so that
 * the owner of the directory cannot make root read another file.
 */

import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError } from './store-error.ts';

/** Of what the agent keeps in its state directory. */
const OWN_NAME = /^(credentials.*|spool|remote-settings\.json.*)$/;

/** Makes `directory` private to its owner (0700), durably; creates it with its parents if it is missing. */
export async function makePrivateDirectory(directory: string): Promise<void> {
  const created = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (created !== undefined) await syncDirectory(dirname(created));
  const { mode } = await stat(directory);
  if ((mode & 0o077) === 0) return;
  // Restricting a shared directory, such as /tmp by mistake, would break other programs.
  const foreign = (await readdir(directory)).find((name) => !OWN_NAME.test(name));
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

/** Read-only. Rejects with a StoreError if `path` is not a regular file, or with the system's error. */
export async function openRegularFile(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    await assertRegularFile(path); // a link is ELOOP, a socket ENXIO
    throw error;
  }
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw notRegularError(path);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Rejects with a StoreError if `path` exists and is not a regular file. */
export async function assertRegularFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isFile()) throw notRegularError(path);
}

function notRegularError(path: string): StoreError {
  return new StoreError(
    `${path} is not a regular file, and the agent does not follow links: check it with "ls -l" and move it away`,
  );
}

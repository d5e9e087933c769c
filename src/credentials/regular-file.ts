/**
 * Opens a regular file in a directory of another user, without following a link and without blocking on a FIFO. Checks the
 * descriptor, so that the owner of the directory cannot make root read another file.
 */

import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { StoreError } from './store-error.ts';

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

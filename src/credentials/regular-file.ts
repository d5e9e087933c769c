/**
 * A file in a directory that somebody else may own: opened without following a link, without waiting for the other end of
 * a FIFO, and judged by the descriptor, so that root looks at nothing that a program of the directory's owner points it at.
 */

import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { StoreError } from './store-error.ts';

/** Read-only. Rejects with a StoreError when anything but a regular file is at `path`, else with the system's error. */
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

/** Rejects with a StoreError when something that is no regular file is at `path`; nothing at all is in order. */
export async function assertRegularFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isFile()) throw notRegularError(path);
}

function notRegularError(path: string): StoreError {
  return new StoreError(
    `${path} is no regular file but a link, a directory or the like, which firstlight neither follows nor writes to: look at it with "ls -l" and move it away`,
  );
}

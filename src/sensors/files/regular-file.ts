/**
 * The first line of a file that an operator has named. Any path may be, so nothing is taken for granted: only regular files are
 * read (in /sys everything is one), opened without waiting, 4 KiB at most.
 */

import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { InvalidValueError } from './errors.ts';

const FILE_BYTES_MAX = 4096;

/** Without its end. Rejects with a NonsenseError for what is no regular file, and with what the system call says. */
export async function readFirstLine(path: string): Promise<string> {
  // Asked before it is opened: opening a device may set it going, as /dev/watchdog does.
  if (!(await stat(path)).isFile()) throw new InvalidValueError(`${path} is not a regular file`);
  await using file = await openFile(path);
  // It may have become another since; and of a FIFO the read would wait.
  if (!(await file.handle.stat()).isFile()) throw new InvalidValueError(`${path} is not a regular file`);
  const buffer = Buffer.alloc(FILE_BYTES_MAX);
  const { bytesRead } = await file.handle.read(buffer, 0, FILE_BYTES_MAX, 0);
  return buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
}

async function openFile(path: string): Promise<AsyncDisposable & { readonly handle: FileHandle }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}

/**
 * The disk operations of an import, as a port, so that a test can simulate a power cut between any two of them.
 *
 * Synchronous, because an import is small and runs once, at boot. Errors have the system's code; `describeError` formats them.
 */

import { errorCode } from '../core/model/error-code.ts';

export interface FileInfo {
  readonly is: 'file' | 'directory' | 'other';
  readonly bytes: number;
  /** The permission bits. */
  readonly mode: number;
  /** Unix ms. */
  readonly changedMs: number;
  /** The same for every path to one file. */
  readonly id: string;
}

export interface Disk {
  /** Undefined if nothing is there. Does not follow links: a link is `other`. */
  stat(path: string): FileInfo | undefined;
  /** The names in a directory; empty if it does not exist. */
  list(directory: string): readonly string[];
  /** The first `bytesMax` bytes of a regular file. */
  read(path: string, bytesMax: number): Buffer;
  /** Creates a file with that mode from the beginning, synced; replaces an existing one. */
  create(path: string, bytes: Buffer, mode: number): void;
  /** Overwrites bytes in place, synced. */
  overwrite(path: string, bytes: Buffer, position: number): void;
  /** Adds a second name to a file; fails with EEXIST if the name exists. */
  link(path: string, linkPath: string): void;
  rename(from: string, to: string): void;
  /** Succeeds if nothing is there. */
  remove(path: string): void;
  /** Creates a directory and its parents, each synced; leaves an existing one unchanged. */
  makeDirectory(path: string, mode: number): void;
  /** Makes the names in the directory durable. */
  sync(directory: string): void;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the quota is used up; free some space',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied; run this as root',
  EPERM: 'permission denied; run this as root',
  EIO: 'the disk reports an error; the SD card or disk may be failing',
  EISDIR: 'a directory has the name of a file',
  ENOTDIR: 'a part of the path is not a directory',
};

export function describeError(error: unknown): string {
  const code = errorCode(error) ?? '';
  const reason = REASONS[code];
  return reason === undefined ? code || String(error) : `${reason} (${code})`;
}

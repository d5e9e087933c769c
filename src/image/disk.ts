/**
 * The few things that importing a configuration does to a disk, as a port: a test can then pull the plug between any
 * two of them.
 *
 * Everything is small and done once, at boot, so every operation is synchronous. Whatever the disk refuses is thrown with
 * the system's own code; `whyNot` turns it into words.
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
  /** Undefined for what is not there. Links are not followed: a link is `other`. */
  stat(path: string): FileInfo | undefined;
  /** What is in a directory; nothing, where there is none. */
  list(directory: string): readonly string[];
  /** The first `bytesMax` bytes of a regular file. */
  read(path: string, bytesMax: number): Buffer;
  /** A new file with that mode from its birth, synced; what has the name already is replaced. */
  create(path: string, bytes: Buffer, mode: number): void;
  /** Puts bytes over those that are there, in the same sectors, synced. */
  overwrite(path: string, bytes: Buffer, position: number): void;
  /** A second name for one file; fails with EEXIST when the name is taken. */
  link(path: string, linkPath: string): void;
  rename(from: string, to: string): void;
  /** What is not there is no failure. */
  remove(path: string): void;
  /** Parents too, each of them synced; a directory that is there stays as it is. */
  makeDirectory(path: string, mode: number): void;
  /** Returns when the names in the directory survive a power cut. */
  sync(directory: string): void;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the quota is used up; free some space',
  EROFS: 'the file system is read-only',
  EACCES: 'the rights do not allow it; run this as root',
  EPERM: 'the rights do not allow it; run this as root',
  EIO: 'the disk reports an error; the card may be dying',
  EISDIR: 'a directory stands where a file should be',
  ENOTDIR: 'a part of that path is no directory',
};

export function describeError(error: unknown): string {
  const code = errorCode(error) ?? '';
  const reason = REASONS[code];
  return reason === undefined ? code || String(error) : `${reason} (${code})`;
}

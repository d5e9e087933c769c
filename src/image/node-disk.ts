/**
 * The disk of this host. Never follows a link and never blocks on a FIFO or a device, because it runs as root on paths that
 * other users may have prepared.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import type { Disk, FileInfo } from './disk.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export class NodeDisk implements Disk {
  stat(path: string): FileInfo | undefined {
    const stats = ignoreMissing(() => lstatSync(path));
    if (stats === undefined) return undefined;
    const { size, mode, mtimeMs, dev, ino } = stats;
    return { is: fileType(stats), bytes: size, mode: mode & 0o7777, changedMs: mtimeMs, id: `${dev}:${ino}` };
  }

  list(directory: string): readonly string[] {
    return ignoreMissing(() => readdirSync(directory)) ?? [];
  }

  read(path: string, bytesMax: number): Buffer {
    return withFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (file) => {
      if (!fstatSync(file).isFile())
        throw Object.assign(new Error('is not a regular file'), { code: 'EISDIR' });
      const bytes = Buffer.alloc(bytesMax);
      let length = 0;
      for (;;) {
        const read = readSync(file, bytes, length, bytesMax - length, null);
        length += read;
        if (read === 0 || length === bytesMax) return bytes.subarray(0, length);
      }
    });
  }

  create(path: string, bytes: Buffer, mode: number): void {
    this.remove(path);
    withFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (file) => write(file, bytes, 0, mode), 0o600);
  }

  overwrite(path: string, bytes: Buffer, position: number): void {
    withFile(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, (file) => write(file, bytes, position));
  }

  link(path: string, linkPath: string): void {
    linkSync(path, linkPath);
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }

  remove(path: string): void {
    ignoreMissing(() => unlinkSync(path));
  }

  makeDirectory(path: string, mode: number): void {
    if (this.stat(path) !== undefined) return;
    const parent = dirname(path);
    this.makeDirectory(parent, 0o755);
    mkdirSync(path, { mode });
    this.sync(parent);
  }

  sync(directory: string): void {
    withFile(directory, O_RDONLY, (file) => fsyncSync(file));
  }
}

function write(file: number, bytes: Buffer, position: number, mode?: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
  // The umask may have reduced the mode. FAT has no modes and rejects some of them.
  if (mode !== undefined && (fstatSync(file).mode & 0o777) !== mode)
    ignoreNotPermitted(() => fchmodSync(file, mode));
  fsyncSync(file);
}

function withFile<T>(path: string, flags: number, action: (file: number) => T, mode?: number): T {
  const file = openSync(path, flags, mode);
  try {
    return action(file);
  } finally {
    closeSync(file);
  }
}

function fileType(stats: Stats): FileInfo['is'] {
  if (stats.isFile()) return 'file';
  return stats.isDirectory() ? 'directory' : 'other';
}

function ignoreMissing<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function ignoreNotPermitted(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw error;
  }
}

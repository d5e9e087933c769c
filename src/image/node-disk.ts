/**
 * The disk of this host, by node:fs.
 *
 * Never follows a link and never waits for a FIFO or a device: it runs as root on paths that others may have prepared.
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
import type { Disk, Look } from './disk.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export class NodeDisk implements Disk {
  look(path: string): Look | undefined {
    const stats = unlessMissing(() => lstatSync(path));
    if (stats === undefined) return undefined;
    const { size, mode, mtimeMs, dev, ino } = stats;
    return { is: kindOf(stats), bytes: size, mode: mode & 0o7777, changedMs: mtimeMs, id: `${dev}:${ino}` };
  }

  names(directory: string): readonly string[] {
    return unlessMissing(() => readdirSync(directory)) ?? [];
  }

  read(path: string, bytesMax: number): Buffer {
    return withFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (file) => {
      if (!fstatSync(file).isFile()) throw Object.assign(new Error('is no regular file'), { code: 'EISDIR' });
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

  link(path: string, second: string): void {
    linkSync(path, second);
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }

  remove(path: string): void {
    unlessMissing(() => unlinkSync(path));
  }

  makeDirectory(path: string, mode: number): void {
    if (this.look(path) !== undefined) return;
    const above = dirname(path);
    this.makeDirectory(above, 0o755);
    mkdirSync(path, { mode });
    this.sync(above);
  }

  sync(directory: string): void {
    withFile(directory, O_RDONLY, (file) => fsyncSync(file));
  }
}

function write(file: number, bytes: Buffer, position: number, mode?: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
  // After the umask has had its say; FAT has no modes and refuses some, which is no harm there.
  if (mode !== undefined && (fstatSync(file).mode & 0o777) !== mode)
    unlessRefused(() => fchmodSync(file, mode));
  fsyncSync(file);
}

function withFile<T>(path: string, flags: number, act: (file: number) => T, mode?: number): T {
  const file = openSync(path, flags, mode);
  try {
    return act(file);
  } finally {
    closeSync(file);
  }
}

function kindOf(stats: Stats): Look['is'] {
  if (stats.isFile()) return 'file';
  return stats.isDirectory() ? 'directory' : 'other';
}

function unlessMissing<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function unlessRefused(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw error;
  }
}

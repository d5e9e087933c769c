/** The disk of this host for root's part of an update. Every change is durable when its method returns. */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../../core/model/error-code.ts';
import { FileSource, type UpdateSource } from '../update-source.ts';
import type { InstallationDisk } from './ports.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;

export class NodeInstallationDisk implements InstallationDisk {
  size(path: string): number | undefined {
    try {
      const stats = lstatSync(path);
      return stats.isFile() ? stats.size : undefined;
    } catch (error) {
      return ignoreMissing(error);
    }
  }

  open(path: string): UpdateSource & Disposable {
    return new FileSource(path);
  }

  openBeneath(directory: string, path: string): UpdateSource & Disposable {
    return FileSource.beneath(directory, path);
  }

  readText(path: string, bytesMax: number): string | undefined {
    return readSmallText(path, bytesMax);
  }

  async create(path: string, fill: (write: (bytes: Buffer) => void) => Promise<void>): Promise<void> {
    const temporary = `${path}.new`;
    const file = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      await fill((bytes) => {
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      });
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.rename(temporary, path);
  }

  replaceText(path: string, text: string, mode: number): void {
    const temporary = `${path}.new`;
    this.remove(temporary);
    const file = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
    try {
      // The umask of the service removes the permissions of others.
      fchmodSync(file, mode);
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.rename(temporary, path);
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
    syncDirectory(dirname(to));
  }

  remove(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      return ignoreMissing(error);
    }
    syncDirectory(dirname(path));
  }

  freeBytes(path: string): number {
    try {
      const { bavail, bsize } = statfsSync(path);
      return bavail * bsize;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      return this.freeBytes(dirname(path));
    }
  }
}

/** Undefined if there is no regular file of at most `bytesMax`. Follows no link in the last part of the path. */
export function readSmallText(path: string, bytesMax: number): string | undefined {
  let file: number;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > bytesMax) return undefined;
    // Not readFileSync, which looks at the size again: the owner of the file may have changed it.
    const buffer = Buffer.alloc(bytesMax + 1);
    const length = readSync(file, buffer, 0, buffer.length, 0);
    return length <= bytesMax ? buffer.toString('utf8', 0, length) : undefined;
  } finally {
    closeSync(file);
  }
}

export function syncDirectory(path: string): void {
  const file = openSync(path, O_RDONLY);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error;
  return undefined;
}

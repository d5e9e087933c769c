/**
 * The spool's directory on a real file system.
 *
 * Promises: files are 0600 and a directory it makes is 0700 from birth; after `sync` the names survive a power cut,
 * those of the directories it made included. `read` hands out one buffer again and again, so that counting 64 MB
 * leaves no garbage: what it gave is good until the next `read`.
 */

import { type FileHandle, mkdir, open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../core/model/error-code.ts';
import type { SpoolDirectory, SpoolEntry, SpoolFile } from './directory.ts';

export class FsSpoolDirectory implements SpoolDirectory {
  readonly #path: string;
  #buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  async list(): Promise<readonly SpoolEntry[]> {
    const entries = await ignoreMissing(readdir(this.#path, { withFileTypes: true }));
    const files: SpoolEntry[] = [];
    for (const { name } of (entries ?? []).filter((entry) => entry.isFile())) {
      const stats = await ignoreMissing(stat(join(this.#path, name)));
      if (stats) files.push({ name, bytes: stats.size });
    }
    return files;
  }

  async create(name: string): Promise<SpoolFile> {
    const path = join(this.#path, name);
    const openNew = () => open(path, 'wx', 0o600);
    const handle = await ignoreMissing(openNew());
    if (handle) return new FsSpoolFile(handle);
    await makeDirectory(this.#path);
    return new FsSpoolFile(await openNew());
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length);
    const handle = await open(join(this.#path, name), 'r');
    try {
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(this.#buffer, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return this.#buffer.subarray(0, done);
    } finally {
      await handle.close();
    }
  }

  async remove(name: string): Promise<void> {
    await unlink(join(this.#path, name));
  }

  sync(): Promise<void> {
    return syncDirectory(this.#path);
  }

  async space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
    for (let path = this.#path; ; path = dirname(path)) {
      const stats = await ignoreMissing(statfs(path));
      if (stats) return { freeBytes: stats.bavail * stats.bsize, totalBytes: stats.blocks * stats.bsize };
    }
  }
}

class FsSpoolFile implements SpoolFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Buffer, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  /** fdatasync: it leaves out the times, and nothing that is needed to read the bytes again. */
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Undefined for what does not exist; every other error stays one. */
async function ignoreMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeDirectory(path: string): Promise<void> {
  // With `recursive` a read-only file system is told as ENOENT, so the usual case, in which only the last one is missing, goes without.
  try {
    await mkdir(path, { mode: 0o700 });
    return await syncDirectory(dirname(path));
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const parent = dirname(first);
  for (let created = path; created !== parent && created !== dirname(created); created = dirname(created)) {
    await syncDirectory(dirname(created));
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

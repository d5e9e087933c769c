/**
 * The spool's directory on a real file system: files are created with mode 0600, directories with 0700.
 *
 * After `sync` all names survive a power cut, also those of created parent directories. `read` reuses one
 * buffer, so that counting 64 MB leaves no garbage: a result is valid until the next `read`.
 */

import { type FileHandle, mkdir, open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { blockBytes } from '../../core/model/block-size.ts';
import { errorCode } from '../../core/model/error-code.ts';
import type { SpoolDirectory, SpoolEntry, SpoolFile } from './directory.ts';

/** Bytes per block where Node.js does not report them: a usual size, and not too large. */
const UNKNOWN_BLOCK_BYTES = 4096;

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
      let total = 0;
      while (total < length) {
        const { bytesRead } = await handle.read(this.#buffer, total, length - total, offset + total);
        if (bytesRead === 0) break;
        total += bytesRead;
      }
      return this.#buffer.subarray(0, total);
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
      if (stats === undefined) continue;
      // The share of free space is right with any unit; one that is too large would leave no room for a segment.
      const unit = blockBytes(stats) ?? Math.min(stats.bsize, UNKNOWN_BLOCK_BYTES);
      return { freeBytes: stats.bavail * unit, totalBytes: stats.blocks * unit };
    }
  }
}

class FsSpoolFile implements SpoolFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Buffer, position: number): Promise<void> {
    let total = 0;
    while (total < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, total, bytes.length - total, position + total);
      total += bytesWritten;
    }
  }

  /** fdatasync, which leaves out only metadata that reading does not need, such as times. */
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Undefined instead of ENOENT; rejects with any other error. */
async function ignoreMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeDirectory(path: string): Promise<void> {
  // With `recursive` mkdir reports a read-only file system as ENOENT, so it is the second attempt.
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

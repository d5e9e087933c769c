/**
 * The files of a host that collectors read: /proc and /sys below a root, so that the same code reads a
 * captured host. Files that the kernel generates in memory are read synchronously; reads that can hang go
 * through blocking-reads.ts.
 */

import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statfsSync,
} from 'node:fs';
import { join } from 'node:path';
import type { BlockSizes } from '../../core/model/block-size.ts';
import { type BlockingReads, openBlockingReads, type ReadLane, readUsage } from './blocking-reads.ts';

/** Result of statfs(2); block-size.ts has the unit of the blocks. */
export interface FileSystemUsage extends BlockSizes {
  readonly blocks: number;
  readonly bfree: number;
  /** Blocks available to an unprivileged process. */
  readonly bavail: number;
  /** Inodes and free inodes; 0 if the file system has no fixed number of them. */
  readonly files: number;
  readonly ffree: number;
}

export interface HostFiles {
  /**
   * The text of a file up to `bytesMax` (at most 64 KiB); of a longer one whole lines only. Throws the error
   * of the system call.
   */
  read(path: string, bytesMax?: number): string;
  /**
   * The text of a device attribute, up to 512 bytes, read by another thread: a device on a bus can take
   * seconds or hang. Rejects with the error of the system call. `lane`: whose thread; default `devices`.
   */
  readBlocking(path: string, lane?: ReadLane): Promise<string>;
  /**
   * The first line, without its end, of a file that the operator configured. Rejects if it is not a regular
   * file.
   */
  firstLine(path: string): Promise<string>;
  /** The names in a directory. Throws if it does not exist. */
  list(path: string): readonly string[];
  has(path: string): boolean;
  /**
   * The target of a symbolic link as written; in /sys the path of the device. Throws if the path is not a
   * link.
   */
  readLink(path: string): string;
  /**
   * Size and usage of the file system that contains `path`; a promise if the call can hang. Throws or rejects
   * with the error of the system call.
   */
  usage(path: string): FileSystemUsage | Promise<FileSystemUsage>;
}

const FILE_BYTES_MAX = 64 * 1024;

/** In the agent all instances share `blockingReads`. */
export function openHostFiles(root: string, blockingReads: BlockingReads = openBlockingReads()): HostFiles {
  const buffer = Buffer.allocUnsafe(FILE_BYTES_MAX);
  const readRootUsage = createRootUsageReader(root);
  // Not `join`, which took a twentieth of a sample to normalise paths that are normal.
  const prefix = root.endsWith('/') ? root : `${root}/`;
  const absolute = (path: string) => prefix + path;
  return {
    // The kernel bounds its own files, and none is a FIFO.
    read: (path, bytesMax) =>
      bytesMax === undefined && root === '/' && (path.startsWith('proc/') || path.startsWith('sys/'))
        ? readWhole(absolute(path))
        : readInto(buffer, absolute(path), bytesMax ?? FILE_BYTES_MAX),
    readBlocking: (path, lane) => blockingReads.text(join(root, path), lane),
    firstLine: (path) => blockingReads.firstLine(join(root, path)),
    list: (path) => readdirSync(absolute(path)),
    has: (path) => existsSync(absolute(path)),
    readLink: (path) => readlinkSync(absolute(path)),
    usage: (path) => (path === '/' ? readRootUsage(path) : blockingReads.usage(join(root, path))),
  };
}

/**
 * File systems for which statfs cannot hang, because the kernel keeps the counts in memory: ext, XFS, F2FS,
 * Btrfs, tmpfs (include/uapi/linux/magic.h).
 */
const IN_MEMORY_COUNTS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0xf2f52010, 0x9123683e, 0x01021994,
]);

/**
 * The first call finds out the type. A root on the network or on an overlay is always read by another thread.
 */
function createRootUsageReader(root: string): HostFiles['usage'] {
  let isInMemory = false;
  const readInThread = async () => {
    const usage = await readUsage(root);
    isInMemory = IN_MEMORY_COUNTS.has(usage.type);
    return usage;
  };
  return () => (isInMemory ? statfsSync(root) : readInThread());
}

/** A FIFO in place of a file would make the event loop wait for a writer; for others the flag has no effect. */
const READ_AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

/** An object, because Node copies its defaults for the name of an encoding. */
const AS_TEXT = { encoding: 'utf8', flag: 'r' } as const;

/** One call of Node, which allocates less than `readInto`. */
function readWhole(path: string): string {
  return wholeLines(readFileSync(path, AS_TEXT).slice(0, FILE_BYTES_MAX));
}

function readInto(buffer: Buffer, path: string, bytesMax: number): string {
  const limit = Math.min(bytesMax, buffer.length);
  const file = openSync(path, READ_AT_ONCE);
  try {
    let length = 0;
    // A seq_file can return a large read in pages; only an empty read is the end.
    while (length < limit) {
      const count = readSync(file, buffer, length, limit - length, null);
      if (count === 0) return buffer.toString('latin1', 0, length);
      length += count;
    }
    return wholeLines(buffer.toString('latin1', 0, length));
  } finally {
    closeSync(file);
  }
}

/** Half a line could contain half a number. */
function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

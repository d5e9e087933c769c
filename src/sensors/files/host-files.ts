/**
 * The part of a host the collectors read: /proc and /sys below a root, so that the same code reads a captured tree.
 *
 * Reads of /proc and /sys are synchronous: the kernel makes these files up in memory, no disk can keep us waiting.
 * Measured on an x86-64 virtual machine, Node 20.20, 2026-11-22, CPU per read of /proc/meminfo over 3,000 rounds: 4 µs here
 * (one buffer kept), 5 µs readFileSync, 92 µs fs.promises, which crosses the thread pool four times. `statfs` can hang on a
 * dead mount and so does go through the pool (18 µs against 3 µs). So does what a device must be asked for; both wait for one of
 * two threads (slow-reads.ts), but for the root file system, which we live on ourselves: where the kernel answers for it out of its memory, it is
 * asked at once. Two limits: a file is read up to
 * 64 KiB, and no other directory than those the collectors name is ever listed.
 */

import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { type BlockingReads, openBlockingReads, readUsage } from './blocking-reads.ts';

export interface FileSystemUsage {
  /** Bytes per block. */
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  /** Blocks free to a process without privileges. */
  readonly bavail: number;
  /** Inodes, and those that are free; 0 where there is no number of them. */
  readonly files: number;
  readonly ffree: number;
}

export interface HostFiles {
  /** The text of a file, up to `bytesMax`; whole lines only when it is longer. Throws what the system call says. */
  read(path: string, bytesMax?: number): string;
  /**
   * The text of a file behind which a device is, on an I2C bus for instance, and may take seconds to answer or hang: up to
   * 512 bytes, read by another thread. Rejects with what the system call says.
   */
  readBlocking(path: string): Promise<string>;
  /** The first line of an operator's own file, which may be any; without its end. Rejects as regular-file.ts says. */
  firstLine(path: string): Promise<string>;
  /** The names in a directory. Throws when there is none. */
  list(path: string): readonly string[];
  has(path: string): boolean;
  /** Where a symbolic link points, as it is written there: in /sys, the way to the device. Throws when it is none. */
  readLink(path: string): string;
  /** Size and use of the file system that `path` is on. */
  usage(path: string): Promise<FileSystemUsage>;
}

const FILE_BYTES_MAX = 64 * 1024;

/** In the agent all trees share the slow reads. */
export function openHostFiles(root: string, blockingReads: BlockingReads = openBlockingReads()): HostFiles {
  const buffer = Buffer.allocUnsafe(FILE_BYTES_MAX);
  const readRootUsage = createRootUsageReader(root);
  // Not `join`, which would put in order, at a twentieth of a reading, what is in order.
  const prefix = root.endsWith('/') ? root : `${root}/`;
  const absolute = (path: string) => prefix + path;
  return {
    read: (path, bytesMax = FILE_BYTES_MAX) => readInto(buffer, absolute(path), bytesMax),
    readBlocking: (path) => blockingReads.text(join(root, path)),
    firstLine: (path) => blockingReads.firstLine(join(root, path)),
    list: (path) => readdirSync(absolute(path)),
    has: (path) => existsSync(absolute(path)),
    readLink: (path) => readlinkSync(absolute(path)),
    usage: (path) => (path === '/' ? readRootUsage() : blockingReads.usage(join(root, path))),
  };
}

/** Whose counts the kernel keeps in memory, so that asking cannot hang: ext, XFS, F2FS, Btrfs, tmpfs (include/uapi/linux/magic.h). */
const IN_MEMORY_COUNTS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0xf2f52010, 0x9123683e, 0x01021994,
]);

/** The first answer says of which kind it is. A root over the network, or an overlay on whatever, is asked by another thread always. */
function createRootUsageReader(root: string): () => Promise<FileSystemUsage> {
  let isInMemory = false;
  return async () => {
    if (isInMemory) return statfsSync(root);
    const usage = await readUsage(root);
    isInMemory = IN_MEMORY_COUNTS.has(usage.type);
    return usage;
  };
}

function readInto(buffer: Buffer, path: string, bytesMax: number): string {
  const limit = Math.min(bytesMax, buffer.length);
  const file = openSync(path, 'r');
  try {
    let length = 0;
    // A seq_file may answer a large read in page-sized pieces; only an empty read is the end.
    while (length < limit) {
      const count = readSync(file, buffer, length, limit - length, null);
      if (count === 0) return buffer.toString('latin1', 0, length);
      length += count;
    }
    // Half a line could be half a number.
    const text = buffer.toString('latin1', 0, length);
    return text.slice(0, text.lastIndexOf('\n') + 1);
  } finally {
    closeSync(file);
  }
}

/**
 * Reads that may hang: what a device on a bus has to answer (750 ms for a 1-Wire thermometer, milliseconds for a chip on I2C,
 * seconds when the bus is stuck, for ever when a driver is), an operator's files, and file systems beside the root.
 *
 * All of them together get two threads, in the order of asking: the pool has four, and name resolution, the credentials and the
 * spool need the others. What has been asked cannot be taken back, not even by a change of the configuration. So there is one
 * of these in a process, and who asks again for what is still under way waits for the same answer: one thing that hangs
 * takes one thread, and no more can wait than there are paths.
 *
 * Only the read itself goes through the pool; opening a file of /sys asks no device, and so costs no crossing of its own.
 * Measured on an x86-64 virtual machine, Node 20.20, 2026-11-26: 14 to 21 µs of CPU a read against 5 µs synchronously.
 */

import { closeSync, openSync, read, type StatsFs, statfs } from 'node:fs';
import { Semaphore } from '../../core/async/semaphore.ts';
import { readFirstLine } from './regular-file.ts';

const CONCURRENT_MAX = 2;
/** One attribute of one device is a line or two. */
const BYTES_MAX = 512;

const NEVER_ABORTED = new AbortController().signal;

/** All paths are absolute; all reject with what the system call says. */
export interface BlockingReads {
  /** The text of a file behind which a device is, up to 512 bytes. */
  text(path: string): Promise<string>;
  /** The first line of a regular file, which may be on any file system. */
  firstLine(path: string): Promise<string>;
  /** Size and use of a file system. */
  usage(path: string): Promise<StatsFs>;
}

export function openBlockingReads(): BlockingReads {
  const threads = new Semaphore(CONCURRENT_MAX);
  return {
    text: shareInFlight(readText, threads),
    firstLine: shareInFlight(readFirstLine, threads),
    usage: shareInFlight(readUsage, threads),
  };
}

function shareInFlight<T>(
  readPath: (path: string) => Promise<T>,
  threads: Semaphore,
): (path: string) => Promise<T> {
  const inFlight = new Map<string, Promise<T>>();
  const readOnce = async (path: string): Promise<T> => {
    try {
      // A slot is waited for as long as it takes: the signal never aborts.
      const result = await threads.run(async () => ({ is: await readPath(path) }), NEVER_ABORTED);
      if (result === undefined) throw new Error(`the read of ${path} was cancelled`);
      return result.is;
    } finally {
      inFlight.delete(path);
    }
  };
  return (path) => {
    const existing = inFlight.get(path);
    if (existing !== undefined) return existing;
    const reading = readOnce(path);
    inFlight.set(path, reading);
    return reading;
  };
}

async function readText(path: string): Promise<string> {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(BYTES_MAX);
    const length = await new Promise<number>((resolve, reject) => {
      read(file, buffer, 0, BYTES_MAX, null, (error, bytesRead) =>
        error ? reject(withPath(error, path)) : resolve(bytesRead),
      );
    });
    return buffer.toString('latin1', 0, length);
  } finally {
    closeSync(file);
  }
}

/** By callback: a promise of node:fs/promises costs the agent three times as much CPU. */
export function readUsage(path: string): Promise<StatsFs> {
  return new Promise((resolve, reject) => {
    statfs(path, (error, usage) => (error ? reject(error) : resolve(usage)));
  });
}

/** Node names the file when opening it fails, and not when reading it does. */
function withPath(error: NodeJS.ErrnoException, path: string): Error {
  return Object.assign(new Error(`${error.message} '${path}'`, { cause: error }), { code: error.code });
}

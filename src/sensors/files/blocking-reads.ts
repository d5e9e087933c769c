/**
 * Reads that can hang: custom files, mounts, and devices on a bus (seconds on a stuck bus, forever with a
 * stuck driver). They share two of the four threads of the pool; the temperature of the CPU has a third one,
 * so that it does not wait for them; name resolution, credentials, the spool and messages to systemd need the
 * fourth. A read cannot be cancelled: one instance serves the process, and a second request for a path waits
 * for the same result, so a hung device occupies one thread.
 */

import { closeSync, constants, open, read, type StatsFs, statfs } from 'node:fs';
import { type FileHandle, open as openHandle, stat } from 'node:fs/promises';
import { Semaphore } from '../../core/async/semaphore.ts';
import { InvalidValueError } from './parse.ts';

const CONCURRENT_MAX = 2;
/** An attribute of a device has one or two lines. */
const ATTRIBUTE_BYTES_MAX = 512;

const NEVER_ABORTED = new AbortController().signal;

/** Who a thread is for: the CPU's temperature, or everything else. */
export type ReadLane = 'devices' | 'cpu';

/** All paths are absolute; all reject with the error of the system call. */
export interface BlockingReads {
  /** The text of a device attribute, up to 512 bytes. */
  text(path: string, lane?: ReadLane): Promise<string>;
  /** The first line of a regular file on any file system. */
  firstLine(path: string): Promise<string>;
  /** Size and use of a file system. */
  usage(path: string): Promise<StatsFs>;
}

export function openBlockingReads(): BlockingReads {
  const threads = new Semaphore(CONCURRENT_MAX);
  const texts: Readonly<Record<ReadLane, BlockingReads['text']>> = {
    devices: shareInFlight(readText, threads),
    cpu: shareInFlight(readText, new Semaphore(1)),
  };
  return {
    text: (path, lane = 'devices') => texts[lane](path),
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
      const result = await threads.run(async () => ({ value: await readPath(path) }), NEVER_ABORTED);
      if (result === undefined) throw new Error(`the read of ${path} was cancelled`);
      return result.value;
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

/**
 * Opening goes through the thread pool as well: a file system in user space, or a FIFO, can hang there. With
 * callbacks: node:fs/promises takes three times as much CPU (measured, Node 20).
 */
async function readText(path: string): Promise<string> {
  const file = await new Promise<number>((resolve, reject) => {
    open(path, 'r', (error, descriptor) => (error ? reject(error) : resolve(descriptor)));
  });
  try {
    const buffer = Buffer.allocUnsafe(ATTRIBUTE_BYTES_MAX);
    const length = await new Promise<number>((resolve, reject) => {
      read(file, buffer, 0, ATTRIBUTE_BYTES_MAX, null, (error, bytesRead) =>
        error ? reject(withPath(error, path)) : resolve(bytesRead),
      );
    });
    return buffer.toString('latin1', 0, length);
  } finally {
    closeSync(file);
  }
}

const CUSTOM_FILE_BYTES_MAX = 4096;

/**
 * The first line of a file of the operator, without its end, up to 4 KiB. The path can be anything: rejects
 * with an InvalidValueError if it is not a regular file (all files of /sys are), or with the error of the
 * system call.
 */
async function readFirstLine(path: string): Promise<string> {
  // Checked before opening: opening a device can start it, for example /dev/watchdog.
  if (!(await stat(path)).isFile()) throw new InvalidValueError(`${path} is not a regular file`);
  await using file = await openFile(path);
  // It can have been replaced in between, and reading a FIFO would wait.
  if (!(await file.handle.stat()).isFile()) throw new InvalidValueError(`${path} is not a regular file`);
  const buffer = Buffer.alloc(CUSTOM_FILE_BYTES_MAX);
  const { bytesRead } = await file.handle.read(buffer, 0, CUSTOM_FILE_BYTES_MAX, 0);
  return buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
}

async function openFile(path: string): Promise<AsyncDisposable & { readonly handle: FileHandle }> {
  const handle = await openHandle(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}

export function readUsage(path: string): Promise<StatsFs> {
  return new Promise((resolve, reject) => {
    statfs(path, (error, usage) => (error ? reject(error) : resolve(usage)));
  });
}

/** Node.js names the file if opening it fails, but not if reading it fails. */
function withPath(error: NodeJS.ErrnoException, path: string): Error {
  return Object.assign(new Error(`${error.message} '${path}'`, { cause: error }), { code: error.code });
}

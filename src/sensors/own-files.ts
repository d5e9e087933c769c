/**
 * An operator's files as sensors: the first number on the first line of each, such as a driver's attribute below /sys.
 *
 * Any path may be named, so nothing is taken for granted: only regular files are read (in /sys everything is one), opened
 * without waiting, 4 KiB at most, by the thread pool and under the guard's deadline. A mount that is dead holds a thread of the
 * pool for as long as it is; of the four there are, these files get two, so that the agent goes on.
 */

import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSensor } from '../core/own-sensor.ts';
import { Slots } from '../core/slots.ts';
import { type Collector, NonsenseError, type NumberEntry } from './collector.ts';

const FILE_BYTES_MAX = 4096;
const NUMBER_MAX = 1e15;
const THREADS_MAX = 2;
const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?/i;

const never = new AbortController().signal;

export function fileCollectors(files: readonly FileSensor[], root: string): readonly Collector[] {
  const threads = new Slots(THREADS_MAX);
  return files.map((file) => ({
    name: file.name,
    catalogue: [entryOf(file)],
    everyMs: file.everyMs,
    open: () => async () => {
      const text = await threads.use(() => firstLine(join(root, file.path)), never);
      return { [file.name]: numberIn(text ?? '', file.path) * file.scale + file.offset };
    },
  }));
}

function entryOf({ name, path }: FileSensor): NumberEntry {
  return {
    key: name,
    type: 'number',
    profile: 'minimal',
    unit: '',
    min: -NUMBER_MAX,
    max: NUMBER_MAX,
    decimals: 6,
    meaning: `the number in ${path}`,
    source: 'the configuration',
  };
}

async function firstLine(path: string): Promise<string> {
  // Asked before it is opened: opening a device may set it going, as /dev/watchdog does.
  if (!(await stat(path)).isFile()) throw new NonsenseError(`${path} is no regular file`);
  await using file = await openFile(path);
  // It may have become another since; and of a FIFO the read would wait.
  if (!(await file.handle.stat()).isFile()) throw new NonsenseError(`${path} is no regular file`);
  const buffer = Buffer.alloc(FILE_BYTES_MAX);
  const { bytesRead } = await file.handle.read(buffer, 0, FILE_BYTES_MAX, 0);
  return buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
}

async function openFile(path: string): Promise<AsyncDisposable & { readonly handle: FileHandle }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}

function numberIn(line: string, path: string): number {
  const digits = NUMBER.exec(line)?.[0];
  if (digits === undefined || /0x/i.test(line))
    throw new NonsenseError(`the first line of ${path} has no number: ${JSON.stringify(line.slice(0, 24))}`);
  return Number(digits);
}

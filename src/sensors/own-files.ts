/**
 * An operator's files as sensors: the first number on the first line of each, such as a driver's attribute below /sys.
 *
 * They are read carefully (regular-file.ts), by the thread pool (slow-reads.ts: they may be on a mount that is dead) and under the
 * guard's deadline.
 */

import { join } from 'node:path';
import type { FileSensor } from '../core/own-sensor.ts';
import { type Collector, NonsenseError, type NumberEntry } from './collector.ts';
import type { SlowReads } from './slow-reads.ts';

const NUMBER_MAX = 1e15;
const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?/i;

export function fileCollectors(
  files: readonly FileSensor[],
  root: string,
  slow: SlowReads,
): readonly Collector[] {
  return files.map((file) => ({
    name: file.name,
    catalogue: [entryOf(file)],
    everyMs: file.everyMs,
    open: () => async () => {
      const text = await slow.line(join(root, file.path));
      return { [file.name]: numberIn(text, file.path) * file.scale + file.offset };
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

function numberIn(line: string, path: string): number {
  const digits = NUMBER.exec(line)?.[0];
  if (digits === undefined || /0x/i.test(line))
    throw new NonsenseError(`the first line of ${path} has no number: ${JSON.stringify(line.slice(0, 24))}`);
  return Number(digits);
}

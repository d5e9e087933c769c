/**
 * Finds the files and lines a value depends on, by trial: the traced rounds are replayed without each file
 * and each line, and every omission that changes the value counts. The host is not read again.
 */

import type { Value } from '../../core/model/reading.ts';
import type { FileSystemUsage, HostFiles } from '../files/host-files.ts';
import {
  type Collect,
  type Collector,
  type KeyFilter,
  type Measurements,
  PartialReadError,
} from '../runtime/collector.ts';
import { NO_EXTERNAL_VALUES } from '../runtime/external-values.ts';
import type { Omission, Trace } from './trace.ts';

export interface ValueOrigin {
  /** Relative to the root. */
  readonly path: string;
  /** The relevant lines in the order of the file; all lines if there are too many to try (400). */
  readonly lines: readonly string[];
}

export interface TracedCollector {
  readonly collector: Collector;
  readonly isSelected: KeyFilter;
  readonly trace: Trace;
  /** Time of each traced round by the monotonic clock. */
  readonly atMs: readonly number[];
}

const FILES_MAX = 500;
const LINES_MAX = 400;

/** The value of the key in the last round, before bounds and rounding. */
export async function findRawValue(
  tracedCollector: TracedCollector,
  key: string,
): Promise<Value | undefined> {
  return replayValue(tracedCollector, key);
}

/** In the order in which the collector read them; empty without a value. */
export async function findValueOrigins(
  tracedCollector: TracedCollector,
  key: string,
): Promise<readonly ValueOrigin[]> {
  const fullValue = await replayValue(tracedCollector, key);
  if (fullValue === undefined) return [];
  const isRelevant = async (omission: Omission) =>
    (await replayValue(tracedCollector, key, omission)) !== fullValue;
  const texts = new Map<string, string>();
  for (const round of tracedCollector.trace.rounds) {
    for (const { kind, path, result } of round) {
      if (kind === 'read' && result.type === 'text') texts.set(path, result.text);
      if (kind === 'usage' && result.type === 'usage') texts.set(path, formatStatfs(result.usage));
    }
  }
  const origins: ValueOrigin[] = [];
  for (const [path, text] of [...texts].slice(0, FILES_MAX)) {
    if (await isRelevant({ path }))
      origins.push({ path, lines: await findRelevantLines(path, text, isRelevant) });
  }
  return origins;
}

/** With the field names of statfs(2). */
function formatStatfs({ bsize, frsize, blocks, bfree, bavail, files, ffree }: FileSystemUsage): string {
  const fragment = frsize === undefined ? '' : `f_frsize ${frsize}\n`;
  return `f_bsize ${bsize}\n${fragment}f_blocks ${blocks}\nf_bfree ${bfree}\nf_bavail ${bavail}\nf_files ${files}\nf_ffree ${ffree}\n`;
}

async function findRelevantLines(
  path: string,
  text: string,
  isRelevant: (omission: Omission) => Promise<boolean>,
): Promise<readonly string[]> {
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length === 1 || lines.length > LINES_MAX) return lines;
  const relevantLines: string[] = [];
  for (const [line, content] of lines.entries()) {
    if (await isRelevant({ path, line })) relevantLines.push(content);
  }
  return relevantLines.length > 0 ? relevantLines : lines;
}

async function replayValue(
  { collector, isSelected, trace, atMs }: TracedCollector,
  key: string,
  omission?: Omission,
): Promise<Value | undefined> {
  let round = 0;
  const clock = { monotonicMs: () => atMs[round] ?? 0, sleep: () => Promise.resolve() };
  const hostFiles: HostFiles = {
    read: (...readArguments) => trace.replay(round, omission).read(...readArguments),
    readBlocking: (path) => trace.replay(round, omission).readBlocking(path),
    firstLine: (path) => trace.replay(round, omission).firstLine(path),
    list: (path) => trace.replay(round, omission).list(path),
    has: (path) => trace.replay(round, omission).has(path),
    readLink: (path) => trace.replay(round, omission).readLink(path),
    usage: (path) => trace.replay(round, omission).usage(path),
  };
  const collect = collector.open(hostFiles, clock, isSelected, NO_EXTERNAL_VALUES);
  let measurements: Measurements = {};
  for (round = 0; round < atMs.length; round += 1) measurements = await collectOrPartial(collect);
  return measurements[key];
}

async function collectOrPartial(collect: Collect): Promise<Measurements> {
  try {
    return await collect();
  } catch (error) {
    return error instanceof PartialReadError ? error.measurements : {};
  }
}

/**
 * Where a value comes from: which of the files its collector read, and which lines of them, it hangs on.
 *
 * Nobody declares that, so it is tried: the collector lives through its traced rounds again, each time without one file, or
 * one line, and what changes the value counts. The host is not asked again.
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
  /** Below the root. */
  readonly path: string;
  /** The lines that count, in the order of the file; all of a file that has too many to try. */
  readonly lines: readonly string[];
}

export interface TracedCollector {
  readonly collector: Collector;
  readonly isSelected: KeyFilter;
  readonly trace: Trace;
  /** When each traced round was, by the monotonic clock, ms. */
  readonly atMs: readonly number[];
}

const FILES_MAX = 500;
const LINES_MAX = 400;

/** What the collector said of the key in its last round, before bounds and rounding. */
export async function findRawValue(
  tracedCollector: TracedCollector,
  key: string,
): Promise<Value | undefined> {
  return replayValue(tracedCollector, key);
}

/** In the order in which the collector read them; none when it gave no value. */
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
    for (const { kind: question, path, result: answer } of round) {
      if (question === 'read' && answer.type === 'text') texts.set(path, answer.text);
      if (question === 'usage' && answer.type === 'usage') texts.set(path, formatStatfs(answer.usage));
    }
  }
  const origins: ValueOrigin[] = [];
  for (const [path, text] of [...texts].slice(0, FILES_MAX)) {
    if (await isRelevant({ path }))
      origins.push({ path, lines: await findRelevantLines(path, text, isRelevant) });
  }
  return origins;
}

/** As statfs(2) calls them. */
function formatStatfs({ bsize, blocks, bfree, bavail, files, ffree }: FileSystemUsage): string {
  return `f_bsize ${bsize}\nf_blocks ${blocks}\nf_bfree ${bfree}\nf_bavail ${bavail}\nf_files ${files}\nf_ffree ${ffree}\n`;
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

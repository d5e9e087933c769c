/**
 * Where a value comes from: which of the files its collector read, and which lines of them, it hangs on.
 *
 * Nobody declares that, so it is tried: the collector lives through its traced rounds again, each time without one file, or
 * one line, and what changes the value counts. The host is not asked again.
 */

import type { Value } from '../../core/model/reading.ts';
import type { FileSystemUse, Tree } from '../files/host-files.ts';
import {
  type Collect,
  type Collector,
  type Measured,
  PartlyReadError,
  type Wants,
} from '../runtime/collector.ts';
import { NOTHING_TOLD } from '../runtime/external-values.ts';
import type { Omission, Trace } from './trace.ts';

export interface Origin {
  /** Below the root. */
  readonly path: string;
  /** The lines that count, in the order of the file; all of a file that has too many to try. */
  readonly lines: readonly string[];
}

export interface Traced {
  readonly collector: Collector;
  readonly wants: Wants;
  readonly trace: Trace;
  /** When each traced round was, by the monotonic clock, ms. */
  readonly atMs: readonly number[];
}

const FILES_MAX = 500;
const LINES_TRIED_MAX = 400;

/** What the collector said of the key in its last round, before bounds and rounding. */
export async function rawValue(traced: Traced, key: string): Promise<Value | undefined> {
  return replayed(traced, key);
}

/** In the order in which the collector read them; none when it gave no value. */
export async function originsOf(traced: Traced, key: string): Promise<readonly Origin[]> {
  const whole = await replayed(traced, key);
  if (whole === undefined) return [];
  const counts = async (without: Omission) => (await replayed(traced, key, without)) !== whole;
  const texts = new Map<string, string>();
  for (const round of traced.trace.rounds) {
    for (const { question, path, answer } of round) {
      if (question === 'read' && answer.is === 'text') texts.set(path, answer.text);
      if (question === 'use' && answer.is === 'use') texts.set(path, statfsText(answer.use));
    }
  }
  const origins: Origin[] = [];
  for (const [path, text] of [...texts].slice(0, FILES_MAX)) {
    if (await counts({ path })) origins.push({ path, lines: await linesThatCount(path, text, counts) });
  }
  return origins;
}

/** As statfs(2) calls them. */
function statfsText({ bsize, blocks, bfree, bavail, files, ffree }: FileSystemUse): string {
  return `f_bsize ${bsize}\nf_blocks ${blocks}\nf_bfree ${bfree}\nf_bavail ${bavail}\nf_files ${files}\nf_ffree ${ffree}\n`;
}

async function linesThatCount(
  path: string,
  text: string,
  counts: (without: Omission) => Promise<boolean>,
): Promise<readonly string[]> {
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length === 1 || lines.length > LINES_TRIED_MAX) return lines;
  const counting: string[] = [];
  for (const [line, content] of lines.entries()) {
    if (await counts({ path, line })) counting.push(content);
  }
  return counting.length > 0 ? counting : lines;
}

async function replayed(
  { collector, wants, trace, atMs }: Traced,
  key: string,
  without?: Omission,
): Promise<Value | undefined> {
  let round = 0;
  const clock = { monotonicMs: () => atMs[round] ?? 0, sleep: () => Promise.resolve() };
  const tree: Tree = {
    read: (...asked) => trace.replay(round, without).read(...asked),
    readSlowly: (path) => trace.replay(round, without).readSlowly(path),
    line: (path) => trace.replay(round, without).line(path),
    list: (path) => trace.replay(round, without).list(path),
    has: (path) => trace.replay(round, without).has(path),
    link: (path) => trace.replay(round, without).link(path),
    use: (path) => trace.replay(round, without).use(path),
  };
  const collect = collector.open(tree, clock, wants, NOTHING_TOLD);
  let measured: Measured = {};
  for (round = 0; round < atMs.length; round += 1) measured = await unlessItFails(collect);
  return measured[key];
}

async function unlessItFails(collect: Collect): Promise<Measured> {
  try {
    return await collect();
  } catch (error) {
    return error instanceof PartlyReadError ? error.measured : {};
  }
}

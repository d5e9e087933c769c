/**
 * One key explained: its sensor has the rounds a value needs, under trace, alone; then follows what the value hangs on.
 *
 * Of a key that gave no value it says what the sensor asked of the host, and what it complained about.
 */

import type { Value } from '../../core/model/reading.ts';
import type { Selection } from '../../core/model/selection.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/silent-logger.ts';
import type { Tree } from '../files/host-files.ts';
import type { CatalogueEntry, Collector } from '../runtime/collector.ts';
import { entryFor } from '../runtime/collector-runner.ts';
import { UNTUNED, wantsOf } from '../runtime/tuning.ts';
import { openSampler } from '../sampler.ts';
import { type Asked, Trace } from './trace.ts';
import { type Origin, originsOf, rawValue, type Traced } from './value-origin.ts';

export interface Explanation {
  readonly key: string;
  readonly sensor: string;
  readonly entry: CatalogueEntry;
  /** As it is delivered; absent when this host gives none. */
  readonly value: Value | undefined;
  /** As the sensor said it, before bounds and rounding. */
  readonly raw: Value | undefined;
  readonly origins: readonly Origin[];
  /** Everything it asked of the host, each path once, with the last answer. */
  readonly asked: readonly Asked[];
  /** Why it failed, when it said so. */
  readonly complaint: string | undefined;
  /** Other keys of the same catalogue entry that this host has. */
  readonly siblings: readonly string[];
}

export interface Host {
  readonly tree: Tree;
  readonly clock: Clock;
  /** From one round to the next. */
  readonly pauseMs: number;
}

/** Rates and use exist between two rounds only. */
const ROUNDS = 2;

/** Undefined when no collector of these has such a key. */
export async function explain(
  key: string,
  collectors: readonly Collector[],
  { tree, clock, pauseMs }: Host,
  signal: AbortSignal,
): Promise<Explanation | undefined> {
  const collector = collectors.find(({ catalogue }) => entryFor(catalogue, key) !== undefined);
  const entry = collector && entryFor(collector.catalogue, key);
  if (collector === undefined || entry === undefined) return undefined;
  const selection: Selection = { profile: 'minimal', on: [entry.key], off: [] };
  const trace = new Trace();
  let complaint: string | undefined;
  const log = {
    ...SILENT_LOGGER,
    warn: (_: string, fields?: { readonly [name: string]: unknown }) => {
      complaint = String(fields?.['reason'] ?? '');
    },
  };
  // Whatever its interval: a round that repeats values asks nothing, and would have no trace.
  const tuning = { ...UNTUNED, selection, everyMs: new Map([[collector.name, 0]]) };
  const sampler = openSampler([collector], trace.over(tree), clock, log, tuning);
  const atMs: number[] = [];
  let values = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await clock.sleep(pauseMs, signal);
    trace.begin();
    atMs.push(clock.monotonicMs());
    values = await sampler.sample();
  }
  const traced: Traced = { collector, wants: wantsOf(collector, selection), trace, atMs };
  return {
    key,
    sensor: collector.name,
    entry,
    value: new Map<string, Value>(Object.entries(values)).get(key),
    raw: await rawValue(traced, key),
    origins: await originsOf(traced, key),
    asked: [...new Map(trace.rounds.flat().map((each) => [each.path, each])).values()],
    complaint,
    siblings: Object.keys(values).filter((other) => entryFor([entry], other) !== undefined && other !== key),
  };
}

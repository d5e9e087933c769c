/**
 * One key explained: its sensor has the rounds a value needs, under trace, alone; then follows what the value hangs on.
 *
 * Of a key that gave no value it says what the sensor asked of the host, and what it complained about.
 */

import type { Value } from '../../core/model/reading.ts';
import type { Selection } from '../../core/model/selection.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/silent-logger.ts';
import type { HostFiles } from '../files/host-files.ts';
import type { CatalogueEntry, Collector } from '../runtime/collector.ts';
import { entryFor } from '../runtime/collector-runner.ts';
import { DEFAULT_TUNING, keyFilterFor } from '../runtime/tuning.ts';
import { openSampler } from '../sampler.ts';
import { Trace, type TracedQuery } from './trace.ts';
import { findRawValue, findValueOrigins, type TracedCollector, type ValueOrigin } from './value-origin.ts';

export interface Explanation {
  readonly key: string;
  readonly sensor: string;
  readonly entry: CatalogueEntry;
  /** As it is delivered; absent when this host gives none. */
  readonly value: Value | undefined;
  /** As the sensor said it, before bounds and rounding. */
  readonly raw: Value | undefined;
  readonly valueOrigins: readonly ValueOrigin[];
  /** Everything it asked of the host, each path once, with the last answer. */
  readonly queries: readonly TracedQuery[];
  /** Why it failed, when it said so. */
  readonly failureReason: string | undefined;
  /** Other keys of the same catalogue entry that this host has. */
  readonly siblings: readonly string[];
}

export interface ExplainPorts {
  readonly hostFiles: HostFiles;
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
  { hostFiles, clock, pauseMs }: ExplainPorts,
  signal: AbortSignal,
): Promise<Explanation | undefined> {
  const collector = collectors.find(({ catalogue }) => entryFor(catalogue, key) !== undefined);
  const entry = collector && entryFor(collector.catalogue, key);
  if (collector === undefined || entry === undefined) return undefined;
  const selection: Selection = { profile: 'minimal', on: [entry.key], off: [] };
  const trace = new Trace();
  let failureReason: string | undefined;
  const log = {
    ...SILENT_LOGGER,
    warn: (_: string, fields?: { readonly [name: string]: unknown }) => {
      failureReason = String(fields?.['reason'] ?? '');
    },
  };
  // Whatever its interval: a round that repeats values asks nothing, and would have no trace.
  const tuning = { ...DEFAULT_TUNING, selection, everyMs: new Map([[collector.name, 0]]) };
  const sampler = openSampler([collector], trace.wrap(hostFiles), clock, log, tuning);
  const atMs: number[] = [];
  let values = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await clock.sleep(pauseMs, signal);
    trace.startRound();
    atMs.push(clock.monotonicMs());
    values = await sampler.sample();
  }
  const tracedCollector: TracedCollector = {
    collector,
    isSelected: keyFilterFor(collector, selection),
    trace,
    atMs,
  };
  return {
    key,
    sensor: collector.name,
    entry,
    value: new Map<string, Value>(Object.entries(values)).get(key),
    raw: await findRawValue(tracedCollector, key),
    valueOrigins: await findValueOrigins(tracedCollector, key),
    queries: [...new Map(trace.rounds.flat().map((each) => [each.path, each])).values()],
    failureReason,
    siblings: Object.keys(values).filter((other) => entryFor([entry], other) !== undefined && other !== key),
  };
}

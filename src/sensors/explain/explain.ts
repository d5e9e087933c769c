/**
 * Explains one key: runs its sensor alone under a trace, and finds the files and lines that the value depends
 * on. For a key without a value it reports what the sensor read, and why it failed.
 */

import type { Value } from '../../core/model/reading.ts';
import type { Selection } from '../../core/model/sensor-selection.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/log.ts';
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
  /** Values that the sensor leaves out or changes, and why. */
  readonly notes: readonly string[];
  /** The delivered value; undefined if the host does not have it. */
  readonly value: Value | undefined;
  /** The value before bounds and rounding. */
  readonly raw: Value | undefined;
  readonly valueOrigins: readonly ValueOrigin[];
  /** All reads of the sensor, each path once, with the latest result. */
  readonly queries: readonly TracedQuery[];
  /** The logged reason if the sensor failed. */
  readonly failureReason: string | undefined;
  /** Other keys of this host that the same catalogue entry covers. */
  readonly siblings: readonly string[];
}

export interface ExplainPorts {
  readonly hostFiles: HostFiles;
  readonly clock: Clock;
  /** Between two rounds. */
  readonly pauseMs: number;
}

/** Rates and utilisation need two rounds. */
const ROUNDS = 2;

/** Undefined if no collector has the key. */
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
  // Interval 0: a round that repeats values reads nothing and has no trace.
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
    notes: collector.notes ?? [],
    value: new Map<string, Value>(Object.entries(values)).get(key),
    raw: await findRawValue(tracedCollector, key),
    valueOrigins: await findValueOrigins(tracedCollector, key),
    queries: [...new Map(trace.rounds.flat().map((each) => [each.path, each])).values()],
    failureReason,
    siblings: Object.keys(values).filter((other) => entryFor([entry], other) !== undefined && other !== key),
  };
}

/**
 * Runs every collector once and merges their results into one set of values. It starts no process, never
 * rejects, and returns within its deadline even if a file system hangs; values that are not there by then are
 * absent from this sample. A failing sensor does not affect the values of another one.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileSensor } from '../core/model/custom-sensor.ts';
import { deliverable, type Value, type Values } from '../core/model/reading.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Sensors } from '../core/ports/sensors.ts';
import { collectors } from './catalogue.ts';
import { type BlockingReads, openBlockingReads } from './files/blocking-reads.ts';
import { type HostFiles, openHostFiles } from './files/host-files.ts';
import type { Collector } from './runtime/collector.ts';
import { CollectorRunner } from './runtime/collector-runner.ts';
import { type ExternalValues, NO_EXTERNAL_VALUES } from './runtime/external-values.ts';
import { createTransform } from './runtime/transform.ts';
import { DEFAULT_TUNING, hasSelectedKey, keyFilterFor, type Tuning } from './runtime/tuning.ts';
import { fileCollectors } from './system/custom-files.ts';

export interface SensorsOptions {
  /** `/` on a host; the directory of a captured host in a test. */
  readonly root: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: every key, each collector at its own interval. */
  readonly tuning?: Tuning;
  /** Custom sensors that read a file. */
  readonly files?: readonly FileSensor[];
  /**
   * The latest values of sensors that are polled beside the sampling, such as custom programs. Neither waits
   * nor throws.
   */
  readonly polledValues?: () => Values;
  /** Default: none. */
  readonly external?: ExternalValues;
  /** The instance of the process, which outlives these sensors. Default: a new one. */
  readonly blockingReads?: BlockingReads;
}

export function openSensors(options: SensorsOptions): Sensors {
  const { root, clock, log, tuning, files = [], blockingReads = openBlockingReads() } = options;
  const sensors = [...collectors, ...fileCollectors(files)];
  return openSampler(sensors, openHostFiles(root, blockingReads), clock, log, tuning, options);
}

/** Turns of the event loop before a timer is set, which costs more than all of them. */
const TURNS_MAX = 8;
/** The longest time a sample waits for a sensor; a built-in one normally takes well under 1 ms. */
export const DEADLINE_MS = 2000;

export function openSampler(
  sensors: readonly Collector[],
  hostFiles: HostFiles,
  clock: Clock,
  log: Logger,
  tuning: Tuning = DEFAULT_TUNING,
  {
    polledValues = () => ({}),
    external = NO_EXTERNAL_VALUES,
  }: Pick<SensorsOptions, 'polledValues' | 'external'> = {},
): Sensors {
  const { selection, everyMs } = tuning;
  const transform = createTransform(tuning);
  const runners = sensors.flatMap((sensor) => {
    const isSelected = keyFilterFor(sensor, selection);
    if (!hasSelectedKey(sensor, isSelected)) return [];
    return new CollectorRunner(sensor, {
      hostFiles,
      clock,
      log,
      isSelected,
      external,
      everyMs: everyMs.get(sensor.name) ?? sensor.everyMs ?? 0,
    });
  });
  return {
    async sample() {
      const values: Record<string, Value> = {};
      const pending: Promise<Values>[] = [];
      for (const runner of runners) {
        const read = runner.read();
        if (read instanceof Promise) pending.push(read);
        else Object.assign(values, read);
      }
      if (pending.length > 0) {
        await collectWithDeadline(pending, values, clock);
        for (const runner of runners) runner.timeOut();
      }
      const polled = polledValues();
      for (const key in polled) {
        const value = polled[key];
        if (value !== undefined && !Object.hasOwn(values, key)) values[key] = value;
      }
      return deliverable(transform(values));
    },
  };
}

async function collectWithDeadline(
  pending: readonly Promise<Values>[],
  target: Record<string, Value>,
  clock: Clock,
) {
  let isOpen = true;
  let pendingCount = pending.length;
  const all = Promise.all(
    pending.map(async (read) => {
      const values = await read;
      pendingCount -= 1;
      if (isOpen) Object.assign(target, values);
    }),
  );
  // A healthy file system responds within a few turns of the event loop, and a timer is not needed.
  for (let turn = 0; turn < TURNS_MAX && pendingCount > 0; turn += 1) await nextTurn();
  if (pendingCount > 0) {
    const timerAbort = new AbortController();
    await Promise.race([all, clock.sleep(DEADLINE_MS, timerAbort.signal)]);
    timerAbort.abort();
  }
  isOpen = false;
}

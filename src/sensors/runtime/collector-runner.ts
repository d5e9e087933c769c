/**
 * Runs one collector and isolates its faults: it returns values or nothing, validated against the catalogue.
 * A fault is logged when it starts, and once when the whole collector works again (failure-log.ts). While a read is pending no
 * second one starts. Between two rounds the last values are repeated, because an absent key means that the
 * value no longer exists; a failed round clears them.
 */

import { round, type Value, type Values } from '../../core/model/reading.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { HostFiles } from '../files/host-files.ts';
import { InvalidValueError } from '../files/parse.ts';
import {
  type CatalogueEntry,
  type Collect,
  type Collector,
  type KeyFilter,
  type Measurements,
  PartialReadError,
  type SensorClock,
} from './collector.ts';
import type { ExternalValues } from './external-values.ts';
import { FailureLog } from './failure-log.ts';

const NO_VALUES: Values = {};
/** A host has fewer keys of one collector. */
const CACHED_KEYS_MAX = 512;
/**
 * The share of its interval by which a round may come early: samples jitter, and one missed by 1 ms would be
 * an interval late.
 */
const EARLY_TOLERANCE = 0.1;

type RunnerState = 'idle' | 'reading' | 'timed-out';

export interface CollectorRunnerOptions {
  readonly hostFiles: HostFiles;
  readonly clock: SensorClock;
  readonly log: Logger;
  readonly isSelected: KeyFilter;
  readonly external: ExternalValues;
  /** 0: a round with each sample. */
  readonly everyMs: number;
}

export class CollectorRunner {
  readonly #collector: Collector;
  readonly #collect: Collect;
  readonly #clock: SensorClock;
  readonly #failures: FailureLog;
  readonly #isSelected: KeyFilter;
  readonly #everyMs: number;
  /** A cache: without it the lookup was a quarter of a round (measured without compilers). */
  readonly #entries = new Map<string, CatalogueEntry | 'unselected'>();
  #state: RunnerState = 'idle';
  /** The values of the last round; none if it failed. */
  #last: Values = NO_VALUES;
  #dueAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    collector: Collector,
    { hostFiles, clock, log, isSelected, external, everyMs }: CollectorRunnerOptions,
  ) {
    this.#collector = collector;
    this.#collect = collector.open(hostFiles, clock, isSelected, external);
    this.#clock = clock;
    this.#failures = new FailureLog(collector.name, log, clock);
    this.#isSelected = isSelected;
    this.#everyMs = everyMs;
  }

  /** Reads once, or repeats the last values if no round is due. Neither throws nor rejects. */
  read(): Values | Promise<Values> {
    if (this.#state !== 'idle') return NO_VALUES;
    if (!this.#isDue()) return this.#last;
    try {
      const measurements = this.#collect();
      if (!(measurements instanceof Promise)) return this.#accept(measurements);
      this.#state = 'reading';
      return this.#awaitRead(measurements);
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** Ends the round: if the read is still pending, the sensor fails until a later read completes in time. */
  timeOut(): void {
    if (this.#state !== 'reading') return;
    this.#state = 'timed-out';
    this.#fail(new Error('no response within the deadline'));
  }

  #isDue(): boolean {
    if (this.#everyMs <= 0) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#dueAtMs) return false;
    this.#dueAtMs = nowMs + this.#everyMs * (1 - EARLY_TOLERANCE);
    return true;
  }

  async #awaitRead(promise: Promise<Measurements>): Promise<Values> {
    try {
      const measurements = await promise;
      return this.#state === 'timed-out' ? NO_VALUES : this.#accept(measurements);
    } catch (error) {
      return this.#fail(error);
    } finally {
      this.#state = 'idle';
    }
  }

  #accept(measurements: Measurements): Values {
    const { values, problem } = this.#validate(measurements);
    if (problem !== undefined) this.#failures.fail(problem);
    else this.#failures.succeed(hasValues(values));
    this.#last = values;
    return values;
  }

  /** The problem has each invalid value as a device of its own. */
  #validate(measurements: Measurements): { values: Values; problem: PartialReadError | undefined } {
    const values: Record<string, Value> = {};
    let problems: Map<string, Error> | undefined;
    for (const key in measurements) {
      const value = measurements[key];
      const entry = value === undefined ? 'unselected' : this.#entryOf(key);
      if (value === undefined || entry === 'unselected') continue;
      const valid = validateValue(entry, value);
      if (valid !== undefined) {
        values[key] = valid;
        continue;
      }
      problems ??= new Map();
      problems.set(
        key,
        new InvalidValueError(`${key} is ${formatValue(value)}, which the catalogue does not allow`),
      );
    }
    return { values, problem: problems && new PartialReadError({}, problems) };
  }

  /** Undefined for a key outside the catalogue, which is an invalid value and not an unselected one. */
  #entryOf(key: string): CatalogueEntry | 'unselected' | undefined {
    const cached = this.#entries.get(key);
    if (cached !== undefined) return cached;
    const entry = entryFor(this.#collector.catalogue, key);
    if (entry === undefined) return undefined;
    const resolved = this.#isSelected(key) ? entry : 'unselected';
    if (this.#entries.size >= CACHED_KEYS_MAX) this.#entries.clear();
    this.#entries.set(key, resolved);
    return resolved;
  }

  #fail(error: unknown): Values {
    if (!(error instanceof PartialReadError) || this.#state === 'timed-out') {
      this.#failures.fail(error);
      this.#last = NO_VALUES;
      return this.#last;
    }
    const { values, problem } = this.#validate(error.measurements);
    const failures = problem && new Map([...problem.failures, ...error.failures]);
    this.#failures.fail(failures === undefined ? error : new PartialReadError({}, failures));
    this.#last = values;
    return this.#last;
  }
}

function hasValues(values: Values): boolean {
  for (const _ in values) return true;
  return false;
}

/** The entry that covers a key: its own, or one whose `*` matches the middle of it. */
export function entryFor(catalogue: readonly CatalogueEntry[], key: string): CatalogueEntry | undefined {
  return catalogue.find((entry) => {
    const star = entry.key.indexOf('*');
    if (star === -1) return entry.key === key;
    return (
      key.length >= entry.key.length &&
      key.startsWith(entry.key.slice(0, star)) &&
      key.endsWith(entry.key.slice(star + 1))
    );
  });
}

/** The rounded value; undefined if it is outside the bounds of its entry. */
export function validateValue(entry: CatalogueEntry | undefined, value: Value): Value | undefined {
  switch (entry?.type) {
    case 'number':
      if (typeof value !== 'number' || !(value >= entry.min && value <= entry.max)) return undefined;
      return round(value, entry.decimals);
    case 'flag':
      return typeof value === 'boolean' ? value : undefined;
    case 'text':
      return typeof value === 'string' && value.length <= entry.charactersMax ? value : undefined;
    case undefined:
      return undefined;
  }
}

/** For an error message. */
export function formatValue(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 24)) : String(value);
}

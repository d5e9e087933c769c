/**
 * What a sensor is: one file that exports one `Collector`, listed in catalogue.ts, tested on one captured tree.
 *
 * A collector reads below the tree it is given, spawns nothing, and answers with raw numbers. It leaves out what the
 * host does not have, and throws when the host has it but will not say or talks nonsense; it never answers 0 for "unknown".
 * Isolation, bounds, rounding and logging are done once, for all of them, in guard.ts.
 */

import type { Value } from '../../core/model/reading.ts';
import type { Profile } from '../../core/model/selection.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { HostFiles } from '../files/host-files.ts';
import type { ExternalValues } from './external-values.ts';

export type Unit =
  | '%'
  | 'A'
  | 'Ah'
  | 'B'
  | 'B/s'
  | '°C'
  | 'dBm'
  | 'hPa'
  | 'lx'
  | 'MHz'
  | 'Mbit/s'
  | 'ms'
  | 'rpm'
  | 's'
  | 'V'
  | 'W'
  | 'Wh'
  | '1/s'
  | '';

interface EntryBase {
  /** camelCase, unit last. One `*` stands for a name found on the host: `net*RxBytesPerS` covers `netEth0RxBytesPerS`. */
  readonly key: string;
  readonly profile: Profile;
  readonly meaning: string;
  /** The document that defines the file or call the value comes from. */
  readonly source: string;
}

/** One key of the catalogue: what an operator may rely on when he builds a dashboard on it. */
export type CatalogueEntry = NumberEntry | FlagEntry | TextEntry;

export interface NumberEntry extends EntryBase {
  readonly type: 'number';
  readonly unit: Unit;
  /** Inclusive. A number outside is the sensor's nonsense and is left out. */
  readonly min: number;
  readonly max: number;
  /** Decimals that mean something; at most 6 (contract 4.2). */
  readonly decimals: number;
}

/** True or false. */
export interface FlagEntry extends EntryBase {
  readonly type: 'flag';
}

/** A word or a name of the host's, such as a state or an interface. */
export interface TextEntry extends EntryBase {
  readonly type: 'text';
  /** A longer one is the sensor's nonsense and is left out. */
  readonly charactersMax: number;
}

/** Raw values by key. A key that is missing or undefined was not there to be read. */
export type Measurements = Readonly<Record<string, Value | undefined>>;

/** Reads once. Synchronous for /proc and /sys; a promise for whatever could block on a device. */
export type Collect = () => Measurements | Promise<Measurements>;

export type MonotonicClock = Pick<Clock, 'monotonicMs'>;

/** `sleep` is for the deadline of what may hang; a collector never waits for its own sake. */
export type SensorClock = Pick<Clock, 'monotonicMs' | 'sleep'>;

/**
 * Whether a key is to be reported; asked of one with a `*` in it, whether any key it stands for may be. Always the same
 * answer. What is not wanted is left out of the reading anyway: a collector asks in order not to read it.
 */
export type KeyFilter = (key: string) => boolean;

export interface Collector {
  /** lowerCamelCase: operators name it in their settings. */
  readonly name: string;
  readonly catalogue: readonly CatalogueEntry[];
  /**
   * The least time from one of its rounds to the next, ms, for a collector that costs much or reads what hardly changes; the
   * readings in between repeat its last values. Absent: a round with each reading.
   */
  readonly everyMs?: number;
  /**
   * Makes the state of one sampler: what this collector remembers from one round to the next. Does no work yet. Not called
   * when nothing of its catalogue is wanted.
   */
  open(hostFiles: HostFiles, clock: SensorClock, isSelected: KeyFilter, external: ExternalValues): Collect;
}

/**
 * Some of a collector's devices could be read and others not: the values of those that could, and why not the others, by what
 * tells each from the others; at least one.
 */
export class PartialReadError extends Error {
  override readonly name = 'PartialReadError';
  readonly code = 'SENSOR_PARTIAL_READ';
  readonly measurements: Measurements;
  readonly failures: ReadonlyMap<string, Error>;

  constructor(measurements: Measurements, failures: ReadonlyMap<string, Error>) {
    const [first] = failures.values();
    super(first?.message, { cause: first });
    this.measurements = measurements;
    this.failures = failures;
  }
}

/**
 * The contract of a sensor: one file that exports one `Collector`, is listed in catalogue.ts and tested on a
 * captured host. A collector reads below the root it is given, starts no process, and returns raw numbers. It
 * leaves out values the host does not have, and throws if a value exists but is unreadable or invalid; it
 * never returns 0 for "unknown".
 */

import type { Value } from '../../core/model/reading.ts';
import type { Profile } from '../../core/model/sensor-selection.ts';
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
  /**
   * camelCase, unit last. One `*` stands for a name found on the host: `net*RxBytesPerS` covers
   * `netEth0RxBytesPerS`.
   */
  readonly key: string;
  readonly profile: Profile;
  readonly meaning: string;
  /** The document that defines the file or call the value comes from. */
  readonly source: string;
}

/** One key of the catalogue, on which an operator can build a dashboard. */
export type CatalogueEntry = NumberEntry | FlagEntry | TextEntry;

export interface NumberEntry extends EntryBase {
  readonly type: 'number';
  readonly unit: Unit;
  /** Inclusive. A number outside is an invalid value and is left out. */
  readonly min: number;
  readonly max: number;
  /** Significant decimals; at most 6 (contract 4.2). */
  readonly decimals: number;
}

export interface FlagEntry extends EntryBase {
  readonly type: 'flag';
}

/** A word or a name, such as a state or an interface. */
export interface TextEntry extends EntryBase {
  readonly type: 'text';
  /** A longer text is an invalid value and is left out. */
  readonly charactersMax: number;
}

/** Raw values by key. A missing or undefined key means that the host does not have the value. */
export type Measurements = Readonly<Record<string, Value | undefined>>;

/** Reads once. Synchronous for /proc and /sys; a promise for reads that can block on a device. */
export type Collect = () => Measurements | Promise<Measurements>;

export type MonotonicClock = Pick<Clock, 'monotonicMs'>;

/** `sleep` is for deadlines of reads that can hang; a collector never waits otherwise. */
export type SensorClock = Pick<Clock, 'monotonicMs' | 'sleep'>;

/**
 * Whether a key is selected; for a key with a `*`, whether any key it covers can be. The result for a key
 * never changes. Unselected keys are removed from the sample in any case: a collector uses the filter to
 * avoid reading them.
 */
export type KeyFilter = (key: string) => boolean;

export interface Collector {
  /** lowerCamelCase; operators use it in `sensors.on`, `sensors.off` and `sensors.interval`. */
  readonly name: string;
  readonly catalogue: readonly CatalogueEntry[];
  /**
   * The shortest time between two rounds, ms, for a collector that is expensive or reads values that hardly
   * change. The samples in between repeat its last values. Absent: a round with each sample.
   */
  readonly everyMs?: number;
  /** Decisions of the sensor: values that it leaves out or changes, each in one sentence with its reason. */
  readonly notes?: readonly string[];
  /**
   * Creates the state the collector keeps between rounds; reads nothing yet. Not called if none of its keys
   * is selected.
   */
  open(hostFiles: HostFiles, clock: SensorClock, isSelected: KeyFilter, external: ExternalValues): Collect;
}

/**
 * Some devices of a collector failed: the values of the others, and the failures by device (at least one).
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

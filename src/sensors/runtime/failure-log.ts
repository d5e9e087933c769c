/**
 * The log of one collector's failures: one line when a device begins to fail, and one when all of them can be
 * read again. A device that fails and works by turns, as some sensors do every few reads, has at most three
 * lines of each kind an hour; the last one says so.
 */

import { logEvent } from '../../core/events/catalogue.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { Logger } from '../../core/ports/log.ts';
import { type MonotonicClock, PartialReadError } from './collector.ts';

const REASON_CHARACTERS_MAX = 200;
/** The name, among those of devices, for the whole collector. */
const WHOLE_COLLECTOR = '';
/** Failing devices that are logged; more at once have one cause. */
const DEVICES_MAX = 16;
const LINES_PER_HOUR = 3;
const HOUR_MS = 3_600_000;
const RECURRING = ' (it fails again and again: further failures within the hour are not logged)';

export class FailureLog {
  readonly #sensor: string;
  readonly #log: Logger;
  readonly #clock: MonotonicClock;
  /** Names of failing devices, or WHOLE_COLLECTOR. */
  readonly #failing = new Set<string>();
  /** The lines about the failures of each device. */
  readonly #failed = new Map<string, HourlyLines>();
  readonly #restored: HourlyLines;

  constructor(sensor: string, log: Logger, clock: MonotonicClock) {
    this.#sensor = sensor;
    this.#log = log;
    this.#clock = clock;
    this.#restored = new HourlyLines(clock);
  }

  /** A round failed: as a whole, or some of its devices (PartialReadError). */
  fail(error: unknown): void {
    const isPartial = error instanceof PartialReadError;
    const failures: ReadonlyMap<string, unknown> = isPartial
      ? error.failures
      : new Map([[WHOLE_COLLECTOR, error]]);
    if (isPartial)
      for (const name of this.#failing)
        if (name !== WHOLE_COLLECTOR && !failures.has(name)) this.#failing.delete(name);
    for (const [name, reason] of failures) {
      if (this.#failing.has(name) || this.#failing.size >= DEVICES_MAX) continue;
      this.#failing.add(name);
      this.#logFailure(name, errorMessage(reason).slice(0, REASON_CHARACTERS_MAX));
    }
  }

  /** A round without a failure that had values: a sensor that is gone has not been repaired. */
  succeed(): void {
    // Until a line may be written again, the failure counts as continuing, and a new one is no news.
    if (this.#failing.size === 0 || this.#restored.left === 0) return;
    this.#restored.count();
    logEvent(this.#log, 'FL-SENSOR-RESTORED', { sensor: this.#sensor });
    this.#failing.clear();
  }

  #logFailure(name: string, reason: string): void {
    const lines = this.#failed.get(name) ?? new HourlyLines(this.#clock);
    if (this.#failed.size >= DEVICES_MAX) this.#failed.clear();
    this.#failed.set(name, lines);
    if (lines.left === 0) return;
    lines.count();
    const suffix = lines.left === 0 ? RECURRING : '';
    logEvent(this.#log, 'FL-SENSOR-FAILED', { sensor: this.#sensor, reason: `${reason}${suffix}` });
  }
}

/** Counts the lines of the past hour. */
class HourlyLines {
  readonly #clock: MonotonicClock;
  #atMs: readonly number[] = [];

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  /** Lines that may still be written. */
  get left(): number {
    const fromMs = this.#clock.monotonicMs() - HOUR_MS;
    this.#atMs = this.#atMs.filter((atMs) => atMs > fromMs);
    return LINES_PER_HOUR - this.#atMs.length;
  }

  count(): void {
    this.#atMs = [...this.#atMs, this.#clock.monotonicMs()];
  }
}

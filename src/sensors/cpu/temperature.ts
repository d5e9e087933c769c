/**
 * CPU temperature, from the best source that works (cpu-sources.ts). A source that fails is reported and read
 * again with each sample; the next one stands in for it meanwhile. Read by a thread of its own
 * (blocking-reads.ts), because on some boards the firmware answers, or never does.
 */

import { Discovery } from '../devices/discovery.ts';
import { readLine } from '../devices/poll-devices.ts';
import { isBoardTemperature } from '../devices/register-limits.ts';
import type { HostFiles } from '../files/host-files.ts';
import { asError, InvalidValueError, parseInteger } from '../files/parse.ts';
import {
  type Collector,
  type Measurements,
  type MonotonicClock,
  PartialReadError,
} from '../runtime/collector.ts';
import { findCpuSources } from './cpu-sources.ts';

const [CELSIUS_MIN, CELSIUS_MAX] = [-60, 150];

export const temperature: Collector = {
  name: 'temperature',
  catalogue: [
    {
      key: 'cpuTemperatureC',
      type: 'number',
      profile: 'minimal',
      unit: '°C',
      min: CELSIUS_MIN,
      max: CELSIUS_MAX,
      decimals: 1,
      meaning: 'temperature of the CPU',
      source: 'Documentation/ABI/testing/sysfs-class-thermal, sysfs-class-hwmon',
    },
  ],
  notes: [
    'Exactly 85 °C, more than 20 °C away from the reading before it, is left out once, because firmware returns it before its first measurement; if it is real, the next sample has it.',
    '±127 °C and ±128 °C are the ends of a register and no reading.',
  ],
  open(hostFiles, clock) {
    const cpu = new CpuTemperature(hostFiles, clock);
    return () => cpu.read();
  },
};

/** A source that took this long to fail is not read for a minute, because a sample waits two seconds in all. */
const SLOW_FAILURE_MS = 250;
const BACK_OFF_MS = 60_000;
const MILLIDEGREES_PER_DEGREE = 1000;
const POWER_ON_C = 85;
const PLAUSIBLE_STEP_C = 20;
const NO_VALUE: Measurements = {};

interface SlowFailure {
  readonly reason: Error;
  readonly untilMs: number;
}

class CpuTemperature {
  readonly #hostFiles: HostFiles;
  readonly #clock: MonotonicClock;
  readonly #sources: Discovery<readonly string[]>;
  readonly #slowFailures = new Map<string, SlowFailure>();
  /** The last answer of each source, believed or not. */
  readonly #answers = new Map<string, number>();

  constructor(hostFiles: HostFiles, clock: MonotonicClock) {
    this.#hostFiles = hostFiles;
    this.#clock = clock;
    this.#sources = new Discovery(clock, () => findCpuSources(hostFiles));
  }

  /** Synchronous without a source, so that the sample does not wait for a turn of the event loop. */
  read(): Measurements | Promise<Measurements> {
    const sources = this.#sources.current;
    if (sources.length > 0) return this.#readBest(sources);
    this.#sources.invalidate();
    return NO_VALUE;
  }

  /** Rejects with a PartialReadError if a better source than the one that answered failed, or if all did. */
  async #readBest(sources: readonly string[]): Promise<Measurements> {
    const failures = new Map<string, Error>();
    for (const source of sources) {
      const celsius = await this.#readOne(source);
      if (celsius instanceof Error) {
        failures.set(source, celsius);
        continue;
      }
      if (failures.size === 0) return { cpuTemperatureC: celsius };
      throw new PartialReadError({ cpuTemperatureC: celsius }, withSubstitute(failures, source));
    }
    throw new PartialReadError(NO_VALUE, failures);
  }

  async #readOne(source: string): Promise<number | Error> {
    const startedMs = this.#clock.monotonicMs();
    const slow = this.#slowFailures.get(source);
    if (slow !== undefined && startedMs < slow.untilMs) return slow.reason;
    this.#slowFailures.delete(source);
    try {
      const text = await readLine(this.#hostFiles, source, 'cpu');
      return this.#believe(source, parseInteger(text, `/${source}`) / MILLIDEGREES_PER_DEGREE);
    } catch (error) {
      const nowMs = this.#clock.monotonicMs();
      const reason = asError(error);
      if (nowMs - startedMs >= SLOW_FAILURE_MS)
        this.#slowFailures.set(source, { reason, untilMs: nowMs + BACK_OFF_MS });
      this.#sources.invalidate();
      return reason;
    }
  }

  #believe(source: string, celsius: number): number {
    const previous = this.#answers.get(source);
    this.#answers.set(source, celsius);
    if (!(celsius >= CELSIUS_MIN && celsius <= CELSIUS_MAX) || !isBoardTemperature(celsius))
      throw new InvalidValueError(`/${source} is ${celsius} °C, which no CPU has`);
    if (celsius === POWER_ON_C && !(Math.abs((previous ?? 0) - POWER_ON_C) <= PLAUSIBLE_STEP_C))
      throw new InvalidValueError(`/${source} is 85 °C, a power-on value unless the next sample repeats it`);
    return celsius;
  }
}

function withSubstitute(
  failures: ReadonlyMap<string, Error>,
  substitute: string,
): ReadonlyMap<string, Error> {
  const explain = (cause: Error) => new Error(`${cause.message}; /${substitute} is read instead`, { cause });
  return new Map([...failures].map(([source, cause]) => [source, explain(cause)]));
}

/**
 * 1-Wire thermometers (DS18S20, DS1822, DS18B20, DS1825 or MAX31850, DS28EA00), named by their serial number.
 * A measurement takes up to 750 ms, one after another. A sample starts a round, waits for its first two
 * thermometers, and takes the last values of the others, which are older by at most one round and one
 * interval. A thermometer that fails loses its value at once; if a round does not end within a minute, all
 * lose theirs.
 */

import { Discovery } from '../devices/discovery.ts';
import { fillKey, keyPart } from '../devices/keys.ts';
import { UnresolvedFailures } from '../devices/poll-devices.ts';
import type { HostFiles } from '../files/host-files.ts';
import { isAbsentError, listOptional } from '../files/optional-files.ts';
import { asError } from '../files/parse.ts';
import {
  type Collector,
  type KeyFilter,
  type Measurements,
  type MonotonicClock,
  PartialReadError,
} from '../runtime/collector.ts';
import { parseTemperature } from './onewire-scratchpad.ts';

const KEY = 'oneWire*TemperatureC';

export const onewire: Collector = {
  name: 'onewire',
  catalogue: [
    {
      key: KEY,
      type: 'number',
      profile: 'default',
      unit: '°C',
      min: -270,
      max: 1800,
      decimals: 3,
      meaning: 'temperature of the 1-Wire thermometer with that serial number',
      source: 'Documentation/w1/slaves/w1_therm.rst',
    },
  ],
  notes: [
    'Exactly 85 °C is left out unless the reading before it was within 5 °C, because a thermometer returns it at power-on, before its first conversion.',
  ],
  open(hostFiles, clock, isSelected) {
    const bus = new OneWireBus(hostFiles, clock, isSelected);
    return () => bus.read();
  },
};

const FOLDER = 'sys/bus/w1/devices';
/** Family codes of the driver w1_therm; the serial number has 48 bits. */
const THERMOMETER = /^(10|22|28|3b|42)-[0-9a-f]{12}$/;
/** A round of 32 takes up to 24 s. */
const THERMOMETERS_MAX = 32;
/** Thermometers a sample waits for. */
const AWAITED_COUNT = 2;
const ROUND_MS_MAX = 60_000;

class OneWireBus {
  readonly #hostFiles: HostFiles;
  readonly #clock: MonotonicClock;
  readonly #thermometers: Discovery<readonly string[]>;
  /** The last temperature of each thermometer that works. */
  readonly #last = new Map<string, number>();
  readonly #unresolved: UnresolvedFailures;
  #roundStartedMs: number | undefined;

  constructor(hostFiles: HostFiles, clock: MonotonicClock, isSelected: KeyFilter) {
    this.#hostFiles = hostFiles;
    this.#clock = clock;
    this.#unresolved = new UnresolvedFailures(clock);
    this.#thermometers = new Discovery(clock, () =>
      listOptional(hostFiles, FOLDER)
        .filter((name) => THERMOMETER.test(name) && isSelected(keyOf(name)))
        .toSorted()
        .slice(0, THERMOMETERS_MAX),
    );
  }

  read(): Measurements | Promise<Measurements> {
    if (this.#roundStartedMs === undefined) return this.#startRound();
    if (this.#clock.monotonicMs() - this.#roundStartedMs >= ROUND_MS_MAX) {
      this.#last.clear();
      throw new Error(`a 1-Wire thermometer has not responded for ${ROUND_MS_MAX / 1000} s`);
    }
    return this.#lastValues();
  }

  #startRound(): Measurements | Promise<Measurements> {
    const names = this.#thermometers.current;
    for (const name of this.#last.keys()) if (!names.includes(name)) this.#last.delete(name);
    if (names.length === 0) return this.#lastValues();
    this.#roundStartedMs = this.#clock.monotonicMs();
    return new Promise<void>((resolve) => void this.#runRound(names, resolve)).then(() => this.#lastValues());
  }

  /** Never rejects. Calls `onAwaited` after the thermometers a sample waits for, and at the end. */
  async #runRound(names: readonly string[], onAwaited: () => void): Promise<void> {
    for (const [index, name] of names.entries()) {
      await this.#measure(name);
      if (index + 1 === AWAITED_COUNT) onAwaited();
    }
    this.#roundStartedMs = undefined;
    onAwaited();
  }

  async #measure(name: string): Promise<void> {
    const previous = this.#last.get(name);
    try {
      const text = await this.#hostFiles.readBlocking(`${FOLDER}/${name}/w1_slave`);
      this.#last.set(name, parseTemperature(name, text, previous));
      this.#unresolved.resolve(name);
    } catch (error) {
      this.#last.delete(name);
      if (isAbsentError(error)) this.#thermometers.invalidate();
      else this.#unresolved.fail(name, asError(error));
    }
  }

  #lastValues(): Measurements {
    const measurements = Object.fromEntries([...this.#last].map(([name, last]) => [keyOf(name), last]));
    const { reasons } = this.#unresolved;
    if (reasons.size > 0) throw new PartialReadError(measurements, reasons);
    return measurements;
  }
}

function keyOf(name: string): string {
  return fillKey(KEY, keyPart(name));
}

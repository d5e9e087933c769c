/**
 * 1-Wire thermometers (DS18S20, DS1822, DS18B20, DS1825 or MAX31850, DS28EA00), by the serial number burnt into each.
 *
 * A measurement takes up to 750 ms and they come one after another, so a round of many does not fit into the two seconds a reading
 * waits. A reading begins a round, waits for the first two of it, and takes of the others what they measured last; while a
 * round is under way no second one begins. So with one or two thermometers a value is of its own reading, with more it is
 * older by at most a round (0.75 s each) and an interval. One that fails loses its value at once; a round that does not end
 * within a minute loses all of them.
 *
 * What the thermometers say is judged in onewire-scratchpad.ts.
 */

import { Discovery } from '../devices/discovery.ts';
import { fillKey, keyPart } from '../devices/keys.ts';
import { asError } from '../files/errors.ts';
import type { Tree } from '../files/host-files.ts';
import { isAbsence, listIfThere } from '../files/optional-files.ts';
import {
  type Collector,
  type Measured,
  type MonotonicClock,
  PartlyReadError,
  type Wants,
} from '../runtime/collector.ts';
import { celsiusOf } from './onewire-scratchpad.ts';

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
      meaning: 'temperature of a 1-Wire thermometer, by its serial number',
      source: 'Documentation/w1/slaves/w1_therm.rst',
    },
  ],
  open(tree, clock, wants) {
    const bus = new Bus(tree, clock, wants);
    return () => bus.read();
  },
};

const FOLDER = 'sys/bus/w1/devices';
/** Family codes of the driver w1_therm; the serial number has 48 bits. */
const THERMOMETER = /^(10|22|28|3b|42)-[0-9a-f]{12}$/;
/** 24 s a round. */
const THERMOMETERS_MAX = 32;
const AWAITED = 2;
const ROUND_MS_MAX = 60_000;

class Bus {
  readonly #tree: Tree;
  readonly #clock: MonotonicClock;
  readonly #thermometers: Discovery<readonly string[]>;
  /** The last temperature of each, or why it has none. */
  readonly #last = new Map<string, number | Error>();
  #roundSinceMs: number | undefined;

  constructor(tree: Tree, clock: MonotonicClock, wants: Wants) {
    this.#tree = tree;
    this.#clock = clock;
    this.#thermometers = new Discovery(clock, () =>
      listIfThere(tree, FOLDER)
        .filter((name) => THERMOMETER.test(name) && wants(keyOf(name)))
        .toSorted()
        .slice(0, THERMOMETERS_MAX),
    );
  }

  read(): Measured | Promise<Measured> {
    if (this.#roundSinceMs === undefined) return this.#begin();
    if (this.#clock.monotonicMs() - this.#roundSinceMs >= ROUND_MS_MAX) {
      this.#last.clear();
      throw new Error(`a 1-Wire thermometer has not answered for ${ROUND_MS_MAX / 1000} s`);
    }
    return this.#told();
  }

  #begin(): Measured | Promise<Measured> {
    const names = this.#thermometers.found;
    for (const known of this.#last.keys()) if (!names.includes(known)) this.#last.delete(known);
    if (names.length === 0) return {};
    this.#roundSinceMs = this.#clock.monotonicMs();
    return new Promise<void>((resolve) => void this.#round(names, resolve)).then(() => this.#told());
  }

  /** Never rejects. Calls `awaited` when as many have answered as a reading waits for. */
  async #round(names: readonly string[], awaited: () => void): Promise<void> {
    for (const [index, name] of names.entries()) {
      await this.#ask(name);
      if (index + 1 === AWAITED) awaited();
    }
    this.#roundSinceMs = undefined;
    awaited();
  }

  async #ask(name: string): Promise<void> {
    const before = this.#last.get(name);
    try {
      const text = await this.#tree.readSlowly(`${FOLDER}/${name}/w1_slave`);
      this.#last.set(name, celsiusOf(name, text, typeof before === 'number' ? before : undefined));
    } catch (error) {
      this.#last.delete(name);
      if (isAbsence(error)) this.#thermometers.forget();
      else this.#last.set(name, asError(error));
    }
  }

  #told(): Measured {
    const measured: Record<string, number> = {};
    const failed = new Map<string, Error>();
    for (const [name, last] of this.#last) {
      if (typeof last === 'number') measured[keyOf(name)] = last;
      else failed.set(name, last);
    }
    if (failed.size > 0) throw new PartlyReadError(measured, failed);
    return measured;
  }
}

function keyOf(name: string): string {
  return fillKey(KEY, keyPart(name));
}

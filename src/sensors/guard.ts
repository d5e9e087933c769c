/**
 * One collector, fenced in: whatever it does, the sampler gets values or nothing.
 *
 * A collector that throws, rejects, does not come back, or answers outside its catalogue loses that round's values and nobody
 * else's. It is remembered as failing, so the journal has one warning when it starts and one line when it works again,
 * however many rounds lie between. While a read has not come back no second one is sent after it: a hung
 * device may cost us one thread of the pool, never all four.
 */

import type { Logger } from '../core/ports.ts';
import { round, type Value, type Values } from '../core/reading.ts';
import {
  type CatalogueEntry,
  type Collect,
  type Collector,
  type Measured,
  type MonotonicClock,
  NonsenseError,
} from './collector.ts';
import type { Tree } from './tree.ts';

const NOTHING: Values = {};
const REASON_CHARACTERS_MAX = 200;

type State = 'idle' | 'reading' | 'late';

export class Guard {
  readonly #collector: Collector;
  readonly #collect: Collect;
  readonly #log: Logger;
  #state: State = 'idle';
  #failing = false;

  constructor(collector: Collector, tree: Tree, clock: MonotonicClock, log: Logger) {
    this.#collector = collector;
    this.#collect = collector.open(tree, clock);
    this.#log = log;
  }

  /** Reads once. Neither throws nor rejects. */
  read(): Values | Promise<Values> {
    if (this.#state !== 'idle') return NOTHING;
    try {
      const measured = this.#collect();
      if (!(measured instanceof Promise)) return this.#accept(measured);
      this.#state = 'reading';
      return this.#await(measured);
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** The round is over: if the read is still under way, the sensor is failing until another one comes back in time. */
  giveUp(): void {
    if (this.#state !== 'reading') return;
    this.#state = 'late';
    this.#fail(new Error('no answer within the deadline'));
  }

  async #await(promise: Promise<Measured>): Promise<Values> {
    try {
      const measured = await promise;
      return this.#state === 'late' ? NOTHING : this.#accept(measured);
    } catch (error) {
      return this.#fail(error);
    } finally {
      this.#state = 'idle';
    }
  }

  #accept(measured: Measured): Values {
    const values: Record<string, Value> = {};
    let problem: NonsenseError | undefined;
    for (const [key, value] of Object.entries(measured)) {
      if (value === undefined) continue;
      const accepted = believable(entryFor(this.#collector.catalogue, key), value);
      if (accepted !== undefined) values[key] = accepted;
      else problem ??= new NonsenseError(`${key} is ${shown(value)}, outside the catalogue`);
    }
    if (problem !== undefined) this.#fail(problem);
    else this.#recover();
    return values;
  }

  #fail(error: unknown): Values {
    if (!this.#failing) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn('A sensor cannot be read; its values are left out', {
        sensor: this.#collector.name,
        reason: reason.slice(0, REASON_CHARACTERS_MAX),
      });
    }
    this.#failing = true;
    return NOTHING;
  }

  #recover(): void {
    if (this.#failing) this.#log.info('A sensor can be read again', { sensor: this.#collector.name });
    this.#failing = false;
  }
}

/** The value as it may be delivered; undefined when it is not what the catalogue promises. */
function believable(entry: CatalogueEntry | undefined, value: Value): Value | undefined {
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

function shown(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 24)) : String(value);
}

/** The entry that covers a key: its own, or one whose `*` stands for the middle of it. */
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

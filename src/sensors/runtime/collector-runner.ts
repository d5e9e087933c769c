/**
 * One collector, fenced in: whatever it does, the sampler gets values or nothing.
 *
 * A collector that throws, rejects, does not come back, or answers outside its catalogue loses that round's values and nobody
 * else's. It is remembered as failing, so the journal has one warning when it starts and one line when all of it works again,
 * however many rounds lie between; of a collector of many devices, one warning for each that fails. While a read has not come back no second one is sent after it: a hung
 * device may cost us one thread of the pool, never all four. A collector of many devices that throws a PartlyReadError keeps
 * the values of those that could be read.
 *
 * A collector with an interval of its own has a round only that often. In between its last values are repeated, since a key
 * that is absent tells the server's reader that it is gone (core/changes.ts); a round that fails takes them back.
 */

import { tell } from '../../core/events/catalogue.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { round, type Value, type Values } from '../../core/model/reading.ts';
import type { Logger } from '../../core/ports/log.ts';
import { NonsenseError } from '../files/errors.ts';
import type { Tree } from '../files/host-files.ts';
import {
  type CatalogueEntry,
  type Collect,
  type Collector,
  type Measured,
  PartlyReadError,
  type SensorClock,
  type Wants,
} from './collector.ts';
import type { Told } from './external-values.ts';

const NOTHING: Values = {};
const REASON_CHARACTERS_MAX = 200;
/** Stands among the names of devices for all of the collector. */
const WHOLE = '';
/** More failing devices at once are one trouble, and told enough. */
const TOLD_MAX = 16;
/** Keys of one collector that are remembered; a host has fewer. */
const KNOWN_MAX = 512;
/** A round may come so much early: readings do not come on the dot, and one missed by 1 ms would be one interval late. */
const EARLY_SHARE = 0.1;

type State = 'idle' | 'reading' | 'late';

export interface GuardOptions {
  readonly tree: Tree;
  readonly clock: SensorClock;
  readonly log: Logger;
  readonly wants: Wants;
  readonly told: Told;
  /** 0: a round with each reading. */
  readonly everyMs: number;
}

export class Guard {
  readonly #collector: Collector;
  readonly #collect: Collect;
  readonly #clock: SensorClock;
  readonly #log: Logger;
  readonly #wants: Wants;
  readonly #everyMs: number;
  /** Looked up once: a round is interpreted code, and this was a quarter of it. */
  readonly #known = new Map<string, CatalogueEntry | 'unwanted'>();
  #state: State = 'idle';
  /** What fails and was told: the whole of it, or devices. */
  readonly #told = new Set<string>();
  /** What the last round gave, none when it failed; and when the next one is due. */
  #last: Values = NOTHING;
  #dueAtMs = Number.NEGATIVE_INFINITY;

  constructor(collector: Collector, { tree, clock, log, wants, told, everyMs }: GuardOptions) {
    this.#collector = collector;
    this.#collect = collector.open(tree, clock, wants, told);
    this.#clock = clock;
    this.#log = log;
    this.#wants = wants;
    this.#everyMs = everyMs;
  }

  /** Reads once, or repeats what was read when no round is due. Neither throws nor rejects. */
  read(): Values | Promise<Values> {
    if (this.#state !== 'idle') return NOTHING;
    if (!this.#isDue()) return this.#last;
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

  #isDue(): boolean {
    if (this.#everyMs <= 0) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#dueAtMs) return false;
    this.#dueAtMs = nowMs + this.#everyMs * (1 - EARLY_SHARE);
    return true;
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
    const { values, problem } = this.#believed(measured);
    if (problem !== undefined) this.#warn(problem);
    else this.#recover();
    this.#last = values;
    return values;
  }

  #believed(measured: Measured): { values: Values; problem: NonsenseError | undefined } {
    const values: Record<string, Value> = {};
    let problem: NonsenseError | undefined;
    for (const key of Object.keys(measured)) {
      const value = measured[key];
      const entry = value === undefined ? 'unwanted' : this.#entryOf(key);
      if (value === undefined || entry === 'unwanted') continue;
      const accepted = believable(entry, value);
      if (accepted !== undefined) values[key] = accepted;
      else problem ??= new NonsenseError(`${key} is ${shown(value)}, outside the catalogue`);
    }
    return { values, problem };
  }

  /** A key that is not in the catalogue is not unwanted but nonsense. */
  #entryOf(key: string): CatalogueEntry | 'unwanted' | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const entry = entryFor(this.#collector.catalogue, key);
    if (entry === undefined) return undefined;
    const found = this.#wants(key) ? entry : 'unwanted';
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  #fail(error: unknown): Values {
    this.#warn(error);
    const isLate = this.#state === 'late';
    this.#last =
      error instanceof PartlyReadError && !isLate ? this.#believed(error.measured).values : NOTHING;
    return this.#last;
  }

  #warn(error: unknown): void {
    const isPart = error instanceof PartlyReadError;
    const failed: ReadonlyMap<string, unknown> = isPart ? error.failed : new Map([[WHOLE, error]]);
    if (isPart)
      for (const name of this.#told) if (name !== WHOLE && !failed.has(name)) this.#told.delete(name);
    for (const [name, reason] of failed) {
      if (this.#told.has(name) || this.#told.size >= TOLD_MAX) continue;
      this.#told.add(name);
      const text = errorMessage(reason);
      tell(this.#log, 'FL-SENSOR-FAILED', {
        sensor: this.#collector.name,
        reason: text.slice(0, REASON_CHARACTERS_MAX),
      });
    }
  }

  #recover(): void {
    if (this.#told.size > 0) tell(this.#log, 'FL-SENSOR-BACK', { sensor: this.#collector.name });
    this.#told.clear();
  }
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

/** The value as it may be delivered; undefined when it is not what the catalogue promises. */
export function believable(entry: CatalogueEntry | undefined, value: Value): Value | undefined {
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

/** For a sentence about a value that is not believed. */
export function shown(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 24)) : String(value);
}

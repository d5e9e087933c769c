/**
 * The server of the weeks: ThingsBoard's store of points by (key, ts), and nothing of its message layer (contract 4.1 to 4.4).
 *
 * An element without a date gets the server's. A whole body is refused when one element of it is malformed; another kind of
 * poison makes it fail inside, for ever. Written from the contract, so that a misreading must not agree with itself.
 */

import { GAP_KEYS } from '../../../../src/core/model/loss-report.ts';
import type { Ledger, Sample } from '../checks/ledger.ts';
import type { ServerConditions } from '../plan/week-plan.ts';
import { EPOCH_MS } from './host-time.ts';

/** Everything stored under one date. */
export interface Points {
  readonly values: Record<string, unknown>;
  /** Of the sample whose values these are; undefined for a gap record. */
  n: number | undefined;
}

/** What was executed: the answer, and which samples were in it. */
export interface Executed {
  readonly answer: 'ok' | 'malformed' | 'overloaded' | 'none';
  readonly samples: readonly Sample[];
  readonly isDated: boolean;
  /** Losses that gap records in it tell of. */
  readonly told: number;
}

const NOTHING = { samples: [], isDated: false, told: 0 } as const;

/** The key that makes a reading poisonous; its value says how. */
export const POISON_KEY = 'poison';

export class WeekServer {
  sky: ServerConditions = 'clear';
  readonly stored = new Map<number, Points>();
  readonly #ledger: Ledger;
  readonly #nowMs: () => number;
  readonly #limitPerMinute: number;
  #minute = 0;
  #inMinute = 0;

  constructor(ledger: Ledger, nowMs: () => number, limitPerMinute: number) {
    this.#ledger = ledger;
    this.#nowMs = nowMs;
    this.#limitPerMinute = limitPerMinute;
  }

  execute(body: string): Executed {
    if (this.#isRefusing()) return { answer: 'overloaded', ...NOTHING };
    const elements: unknown = JSON.parse(body);
    if (!Array.isArray(elements) || elements.length === 0) return { answer: 'none', ...NOTHING };
    const parsed = elements.map(parse);
    const poisons = parsed.map(({ values }) => values[POISON_KEY]);
    if (poisons.includes('malformed')) return { answer: 'malformed', ...NOTHING };
    if (poisons.includes('refused')) return { answer: 'overloaded', ...NOTHING };
    const samples: Sample[] = [];
    let told = 0;
    for (const { ts, values } of parsed) {
      told += Number(values[GAP_KEYS.readings] ?? 0);
      const sample = this.#store(ts, values);
      if (sample) samples.push(sample);
    }
    return { answer: 'ok', samples, isDated: parsed.every(({ ts }) => ts !== undefined), told };
  }

  /** How many losses each gap record in the store tells of, by its date. */
  get told(): ReadonlyMap<number, number> {
    const told = new Map<number, number>();
    for (const [ts, { values }] of this.stored) {
      const readings = values[GAP_KEYS.readings];
      if (typeof readings === 'number') told.set(ts, readings);
    }
    return told;
  }

  #isRefusing(): boolean {
    if (this.sky === 'overloaded') return true;
    if (this.sky !== 'limited') return false;
    const minute = Math.floor(this.#nowMs() / 60_000);
    if (minute !== this.#minute) this.#inMinute = 0;
    this.#minute = minute;
    this.#inMinute += 1;
    return this.#inMinute > this.#limitPerMinute;
  }

  #store(ts: number | undefined, values: Readonly<Record<string, unknown>>): Sample | undefined {
    const ledger = this.#ledger;
    const sample = typeof values['n'] === 'number' ? ledger.sample(values['n']) : undefined;
    const atMs = Math.trunc(ts ?? EPOCH_MS + this.#nowMs());
    const points = this.stored.get(atMs);
    if (points?.n !== undefined && sample && points.n !== sample.n) {
      ledger.recordGap('no reading replaced', `n=${sample.n} replaces n=${points.n} at ts=${atMs}`);
    }
    if (points) {
      Object.assign(points.values, values);
      points.n ??= sample?.n;
    } else this.stored.set(atMs, { values: { ...values }, n: sample?.n });
    if (!sample) return undefined;
    this.#check(sample, values);
    sample.executions += 1;
    if (ts === undefined) sample.arrivals.push(atMs);
    else sample.dated.add(atMs);
    return sample;
  }

  #check(sample: Sample, values: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(values)) {
      const sampled = sample.values[key];
      if (value === sampled) continue;
      this.#ledger.recordGap('stored as sampled', `n=${sample.n}: ${key}=${value}, sampled ${sampled}`);
    }
  }
}

interface Element {
  readonly ts: number | undefined;
  readonly values: Readonly<Record<string, unknown>>;
}

function parse(element: unknown): Element {
  const map = element as Readonly<Record<string, unknown>>;
  const { ts, values } = map;
  if (typeof ts === 'number' && typeof values === 'object' && values !== null) {
    return { ts, values: values as Readonly<Record<string, unknown>> };
  }
  return { ts: undefined, values: map };
}

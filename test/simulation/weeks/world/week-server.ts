/**
 * The server of the weeks: the storage of ThingsBoard by (key, ts), without its message layer (contract
 * sections 4.1 to 4.4).
 *
 * An element without a timestamp gets that of the server. One malformed element makes the server reject the
 * whole body; the other kind of poison causes a permanent internal error. Written from the contract, so that
 * an error of the agent does not confirm itself.
 */

import { GAP_KEYS } from '../../../../src/core/model/loss-report.ts';
import type { Ledger, Sample } from '../checks/ledger.ts';
import type { ServerState } from '../plan/week-plan.ts';
import { EPOCH_MS } from './host-time.ts';

/** All values with one timestamp. */
export interface Points {
  readonly values: Record<string, unknown>;
  /** The number of the sample; undefined for a gap record. */
  n: number | undefined;
}

/** The response to a request, and the samples in it. */
export interface ExecutedRequest {
  readonly answer: 'ok' | 'malformed' | 'overloaded' | 'none';
  readonly samples: readonly Sample[];
  readonly hasTimestamps: boolean;
  /** Losses that its gap records report. */
  readonly reportedLosses: number;
}

const NOTHING_STORED = { samples: [], hasTimestamps: false, reportedLosses: 0 } as const;

/** The key that makes a reading fail on the server; its value is the kind of failure. */
export const POISON_KEY = 'poison';

export class WeekServer {
  serverState: ServerState = 'reachable';
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

  execute(body: string): ExecutedRequest {
    if (this.#isOverloaded()) return { answer: 'overloaded', ...NOTHING_STORED };
    const elements: unknown = JSON.parse(body);
    if (!Array.isArray(elements) || elements.length === 0) return { answer: 'none', ...NOTHING_STORED };
    const parsed = elements.map(parse);
    const poisons = parsed.map(({ values }) => values[POISON_KEY]);
    if (poisons.includes('malformed')) return { answer: 'malformed', ...NOTHING_STORED };
    if (poisons.includes('refused')) return { answer: 'overloaded', ...NOTHING_STORED };
    const samples: Sample[] = [];
    let reportedLosses = 0;
    for (const { ts, values } of parsed) {
      reportedLosses += Number(values[GAP_KEYS.readings] ?? 0);
      const sample = this.#store(ts, values);
      if (sample) samples.push(sample);
    }
    return {
      answer: 'ok',
      samples,
      hasTimestamps: parsed.every(({ ts }) => ts !== undefined),
      reportedLosses,
    };
  }

  /** The losses in each stored gap record, by its timestamp. */
  get reportedLosses(): ReadonlyMap<number, number> {
    const losses = new Map<number, number>();
    for (const [ts, { values }] of this.stored) {
      const readings = values[GAP_KEYS.readings];
      if (typeof readings === 'number') losses.set(ts, readings);
    }
    return losses;
  }

  #isOverloaded(): boolean {
    if (this.serverState === 'overloaded') return true;
    if (this.serverState !== 'limited') return false;
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
      ledger.reportViolation('no reading replaced', `n=${sample.n} replaces n=${points.n} at ts=${atMs}`);
    }
    if (points) {
      Object.assign(points.values, values);
      points.n ??= sample?.n;
    } else this.stored.set(atMs, { values: { ...values }, n: sample?.n });
    if (!sample) return undefined;
    this.#check(sample, values);
    sample.executions += 1;
    if (ts === undefined) sample.arrivals.push(atMs);
    else sample.timestamps.add(atMs);
    return sample;
  }

  #check(sample: Sample, values: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(values)) {
      const sampled = sample.values[key];
      if (value === sampled) continue;
      this.#ledger.reportViolation('stored as sampled', `n=${sample.n}: ${key}=${value}, sampled ${sampled}`);
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

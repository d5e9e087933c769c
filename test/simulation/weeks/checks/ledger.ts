/**
 * The ledger: what is true of one gateway's weeks, whoever believes what. Written down while they pass, judged afterwards.
 */

import type { LossReason } from '../../../../src/core/model/loss-report.ts';
import type { Values } from '../../../../src/core/model/reading.ts';
import type { Ending, Poison } from '../plan/week-plan.ts';
import type { Boot } from '../world/host-time.ts';

export interface Sample {
  readonly n: number;
  /** When it was taken, virtual ms. */
  readonly takenMs: number;
  readonly life: LifeRecord;
  readonly values: Values;
  readonly poison: Poison | undefined;
  /** It had no date when it was taken. */
  wasUndated: boolean;
  /** Dates under which the server stores it: its own, and that of an arrival without one. */
  readonly dated: Set<number>;
  readonly arrivals: number[];
  /** Times the server stored it, whatever the date. */
  executions: number;
  /** Posts without a date that the server stored and whose answer the agent did not hear. */
  unheardLive: number;
  /** The server stored it, and some process heard of it; the number of the first life that did. */
  heardInLife: number | undefined;
  /** The life that took it from the backlog last. */
  backlogOfLife: number | undefined;
}

/** One life of the process. */
export interface LifeRecord {
  readonly number: number;
  readonly boot: Boot;
  readonly bornMs: number;
  /** When it was asked to stop, virtual ms. */
  stoppedMs?: number;
  diedMs?: number;
  how?: Ending['how'];
  /** When `anchor` was called and when it returned, virtual ms. */
  anchoredMs?: number;
  /** Lost and untold when it died. */
  unreported: number;
}

/** Readings that the agent counted as lost. */
export interface Note {
  readonly life: LifeRecord;
  readonly atMs: number;
  readonly reason: LossReason;
  readonly readings: number;
  /** The sample, where the agent had it in hand. */
  readonly n?: number;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** A gap record was made. */
export interface GapRecord {
  readonly life: LifeRecord;
  readonly atMs: number;
  readonly readings: number;
}

export const PROMISES = [
  'never throws',
  'stops when asked',
  'never an empty batch',
  'at most four requests, one in trouble',
  'drain rate',
  'spool within its bound',
  'no write while nothing waits',
  'stored as sampled',
  'no reading replaced',
  'nothing lost untold',
  'nothing told that is there',
  'losses covered by gap records',
  'losses told once',
  'dated right',
  'one date',
  'stored once',
  'history reconstructs',
  'healthy readings are not given up',
  'drained after healing',
] as const;

export type PromiseName = (typeof PROMISES)[number];

export interface BrokenPromise {
  readonly promise: PromiseName;
  readonly atMs: number;
  readonly detail: string;
}

/** Broken promises kept of one kind; more only count. */
const KEPT_MAX = 3;

export class Ledger {
  readonly samples: Sample[] = [];
  readonly lives: LifeRecord[] = [];
  readonly notes: Note[] = [];
  readonly gapRecords: GapRecord[] = [];
  /** Gap records whose numbers went into the next, by their date. */
  readonly repeatedReports: {
    readonly readings: number;
    readonly reason: LossReason;
    readonly tsMs: number | undefined;
  }[] = [];
  readonly broken: BrokenPromise[] = [];
  readonly counts = new Map<PromiseName, number>();
  /** Phases in which the disk refused, virtual ms. */
  readonly refusals: { readonly fromMs: number; toMs: number }[] = [];
  readonly #nowMs: () => number;
  /** What the agents told and the host did, newest last. */
  readonly #trace: string[] = [];
  readonly #traceMax: number;
  /** Told by gap records without a date whose answer the agent did not hear: they come again, with one. */
  unheardReports = 0;
  writesWhileOnline = 0;
  catchUpMsWorst = 0;

  constructor(nowMs: () => number, traceMax: number) {
    this.#nowMs = nowMs;
    this.#traceMax = traceMax;
  }

  sample(n: number): Sample | undefined {
    return this.samples[n - 1];
  }

  recordGap(promise: PromiseName, detail: string, atMs: number = this.#nowMs()): void {
    const count = (this.counts.get(promise) ?? 0) + 1;
    this.counts.set(promise, count);
    if (count <= KEPT_MAX) this.broken.push({ promise, atMs, detail });
    this.trace(`BROKEN ${promise}: ${detail}`);
  }

  trace(event: string | (() => string)): void {
    if (this.#traceMax === 0) return;
    this.#trace.push(`${at(this.#nowMs())} ${typeof event === 'string' ? event : event()}`);
    if (this.#trace.length > 2 * this.#traceMax) this.#trace.splice(0, this.#traceMax);
  }

  get lines(): readonly string[] {
    return this.#trace.slice(-this.#traceMax);
  }
}

/** Virtual time for a reader: day, hour, minute, second. */
export function at(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  const s = ms / 1_000;
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  const seconds = (s % 60).toFixed(3).padStart(6, '0');
  return `${Math.floor(s / 86_400)}d ${two((s / 3_600) % 24)}:${two((s / 60) % 60)}:${seconds}`;
}

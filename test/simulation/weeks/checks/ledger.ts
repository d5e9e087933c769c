/**
 * The ledger: what really happened in the weeks of one gateway, recorded while they pass and checked
 * afterwards.
 */

import type { LossReason } from '../../../../src/core/model/loss-report.ts';
import type { Values } from '../../../../src/core/model/reading.ts';
import type { Ending, Poison } from '../plan/week-plan.ts';
import type { Boot } from '../world/host-time.ts';

export interface Sample {
  readonly n: number;
  /** When it was taken, virtual ms. */
  readonly takenMs: number;
  readonly agent: AgentRecord;
  readonly values: Values;
  readonly poison: Poison | undefined;
  /** It had no timestamp when it was taken. */
  wasUndated: boolean;
  /**
   * Its timestamps on the server: its own, and (`arrivals`) that of the server for an arrival without one.
   */
  readonly timestamps: Set<number>;
  readonly arrivals: number[];
  /** How often the server stored it, with any timestamp. */
  executions: number;
  /** Posts without a timestamp that the server stored and whose response the agent did not receive. */
  unconfirmedUndated: number;
  /** The number of the first process that received the confirmation of the server. */
  confirmedBy: number | undefined;
  /** Written to the disk and synced: nothing loses it from then on without counting it. */
  isOnDisk: boolean;
  /** The number of the process that took it from the backlog last. */
  backlogOf: number | undefined;
}

/** One process of the agent. */
export interface AgentRecord {
  readonly number: number;
  readonly boot: Boot;
  readonly startedMs: number;
  /** When it was asked to stop, virtual ms. */
  stoppedMs?: number;
  diedMs?: number;
  endedBy?: Ending['kind'];
  /** When the boot offset was stored, virtual ms. */
  offsetKnownMs?: number;
  /** Losses not reported at its end. */
  unreported: number;
  /** When the first of the losses that are not reported yet was counted, virtual ms. */
  unreportedSinceMs?: number | undefined;
}

/** Readings that the agent counted as lost. */
export interface CountedLoss {
  readonly agent: AgentRecord;
  readonly atMs: number;
  readonly reason: LossReason;
  readonly readings: number;
  /** The sample, if the agent knows it. */
  readonly n?: number;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** A gap record was created. */
export interface GapRecord {
  readonly agent: AgentRecord;
  readonly atMs: number;
  readonly readings: number;
}

export const PROMISES = [
  'never throws',
  'stops in time',
  'never an empty batch',
  'at most four requests, one in an outage',
  'drain rate',
  'spool within its bound',
  'no write without queued readings',
  'stored as sampled',
  'no reading replaced',
  'no unreported loss',
  'no false loss report',
  'losses covered by gap records',
  'losses reported once',
  'correct timestamp',
  'one timestamp',
  'stored once',
  'history reconstructs',
  'no healthy reading dropped',
  'drained after the faults',
  'no command run twice',
  'no acknowledged command lost',
  'no setting that cuts off stays',
  'confirmed settings survive',
  'no settings write without a change',
  'settings and commands work after the faults',
] as const;

export type PromiseName = (typeof PROMISES)[number];

export interface BrokenPromise {
  readonly promise: PromiseName;
  readonly atMs: number;
  readonly detail: string;
}

/** Broken promises of one kind that are kept; further ones are only counted. */
const KEPT_MAX = 3;

export class Ledger {
  readonly samples: Sample[] = [];
  readonly agents: AgentRecord[] = [];
  readonly notes: CountedLoss[] = [];
  readonly gapRecords: GapRecord[] = [];
  /** Gap records whose numbers went into the next one. */
  readonly repeatedReports: {
    readonly readings: number;
    readonly reason: LossReason;
    readonly tsMs: number | undefined;
  }[] = [];
  readonly broken: BrokenPromise[] = [];
  readonly counts = new Map<PromiseName, number>();
  /** Files of the spool whose removal the end of a process met: it could not count their readings. */
  readonly interruptedRemovals = new Set<{ readonly readings: number }>();
  /** Phases in which the disk failed, virtual ms. */
  readonly diskFaults: { readonly fromMs: number; toMs: number }[] = [];
  readonly #nowMs: () => number;
  /** The log of the agents and the events of the host, newest last. */
  readonly #trace: string[] = [];
  readonly #traceMax: number;
  /** Losses in gap records without a timestamp whose response was lost: they are sent again with one. */
  unconfirmedReports = 0;
  writesWhileOnline = 0;
  /** Trials of settings, and those whose process was ended meanwhile. */
  trials = 0;
  interruptedTrials = 0;
  catchUpMsWorst = 0;

  constructor(nowMs: () => number, traceMax: number) {
    this.#nowMs = nowMs;
    this.#traceMax = traceMax;
  }

  sample(n: number): Sample | undefined {
    return this.samples[n - 1];
  }

  reportViolation(promise: PromiseName, detail: string, atMs: number = this.#nowMs()): void {
    const count = (this.counts.get(promise) ?? 0) + 1;
    this.counts.set(promise, count);
    if (count <= KEPT_MAX) this.broken.push({ promise, atMs, detail });
    this.trace(`BROKEN ${promise}: ${detail}`);
  }

  trace(event: string | (() => string)): void {
    if (this.#traceMax === 0) return;
    this.#trace.push(`${formatTime(this.#nowMs())} ${typeof event === 'string' ? event : event()}`);
    if (this.#trace.length > 2 * this.#traceMax) this.#trace.splice(0, this.#traceMax);
  }

  get lines(): readonly string[] {
    return this.#trace.slice(-this.#traceMax);
  }
}

/** Virtual time as text: days, hours, minutes, seconds. */
export function formatTime(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  const s = ms / 1_000;
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  const seconds = (s % 60).toFixed(3).padStart(6, '0');
  return `${Math.floor(s / 86_400)}d ${two((s / 3_600) % 24)}:${two((s / 60) % 60)}:${seconds}`;
}

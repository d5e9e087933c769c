/**
 * The accounts of one gateway: for every sample that the server lacks, the reason, whether it is within the
 * documented bounds, and whether it was reported; for every reported loss, whether it is true.
 *
 * Documented: a power cut or a kill loses undelivered readings of the last `max(spoolAfter, flushEvery)`, or
 * since the disk failed, that were never on the disk; every other loss is counted and reported by a gap record. After a restart up to a
 * segment may be sent again, reported as lost again, or reported as lost although it was delivered.
 */

import type { LossReason } from '../../../../src/core/model/loss-report.ts';
import type { WeekPlan } from '../plan/week-plan.ts';
import { Bounds } from './bounds.ts';
import { type AgentRecord, type CountedLoss, formatTime, type Ledger, type Sample } from './ledger.ts';

export type LossCause =
  | LossReason
  | 'power cut'
  | 'kill'
  | 'stop while the disk failed'
  | 'beyond the bounds';

export interface Accounts {
  readonly lost: ReadonlyMap<LossCause, number>;
  /** By the number of the sample. */
  readonly lossCause: ReadonlyMap<number, LossCause>;
  /** Readings reported as lost more often than they were: the documented double counts. */
  readonly overreported: number;
  /** Counted but not reported losses: the process ended before the gap record was on the disk. */
  readonly unreported: number;
}

/** More readings than a segment holds. */
const SEGMENT_READINGS_MAX = 700;

/** Readings in a window of sixteen messages. */
const OUT_OF_ORDER_MAX = 1_000;

export class Accounting {
  readonly #ledger: Ledger;
  readonly #bounds: Bounds;
  readonly #reported: ReadonlyMap<number, number>;
  readonly #parts: ReadonlySet<number>;
  readonly #lost = new Map<LossCause, number>();
  readonly #lossReason = new Map<number, LossCause>();
  readonly #notesOf = new Map<number, CountedLoss[]>();
  /** Losses counted without the number of the sample. */
  #unidentified = 0;
  /** The maximum number of readings in segments that could not be counted. */
  #uncounted = 0;
  /** The maximum number of readings in segments that a process dropped at its end. */
  #dropped = 0;

  /**
   * `reported`: the losses in the gap records on the server, by timestamp. `parts`: the samples stored in part and reported as
   * lost.
   */
  constructor(
    ledger: Ledger,
    plan: WeekPlan,
    reported: ReadonlyMap<number, number>,
    parts: ReadonlySet<number>,
  ) {
    this.#ledger = ledger;
    this.#parts = parts;
    this.#bounds = new Bounds(ledger, plan);
    this.#reported = reported;
    for (const note of ledger.notes) if (note.n === undefined) this.#unidentified += note.readings;
    for (const note of ledger.notes) if (this.#isUncounted(note)) this.#uncounted += SEGMENT_READINGS_MAX;
    for (const { readings } of ledger.interruptedRemovals) this.#dropped += readings;
    for (const note of ledger.notes) {
      if (note.n === undefined) continue;
      const notes = this.#notesOf.get(note.n);
      if (notes) notes.push(note);
      else this.#notesOf.set(note.n, [note]);
    }
  }

  check(): Accounts {
    for (const sample of this.#ledger.samples) {
      if (sample.executions > 0) continue;
      const by = this.#reasonFor(sample);
      this.#lossReason.set(sample.n, by);
      this.#lost.set(by, (this.#lost.get(by) ?? 0) + 1);
    }
    const overreported = this.#checkNotes() + this.#unidentified;
    this.#checkForgotten();
    const unreported = Math.max(0, this.#checkSums());
    return { lost: this.#lost, lossCause: this.#lossReason, overreported, unreported };
  }

  #reasonFor(sample: Sample): LossCause {
    const [note] = this.#notesOf.get(sample.n) ?? [];
    if (note) {
      this.#checkReason(sample, note);
      return note.reason;
    }
    if (!sample.isOnDisk && this.#bounds.fromMs(sample.agent) <= sample.takenMs)
      return this.#endOf(sample.agent);
    if (this.#unidentified > 0) {
      this.#unidentified -= 1;
      return 'damaged';
    }
    if (this.#uncounted > 0) {
      this.#uncounted -= 1;
      return 'damaged';
    }
    if (this.#dropped > 0) {
      this.#dropped -= 1;
      return 'spool full';
    }
    const { agent } = sample;
    const end = agent.endedBy
      ? `${agent.endedBy} at ${formatTime(agent.stoppedMs ?? agent.diedMs ?? 0)}`
      : 'alive';
    this.#ledger.reportViolation(
      'no unreported loss',
      `n=${sample.n} of process ${agent.number} (${end}), taken at ${formatTime(sample.takenMs)}${sample.wasUndated ? ' without a timestamp' : ''}`,
      sample.takenMs,
    );
    return 'beyond the bounds';
  }

  /** A segment that could not be read at the start of the process is counted as one reading. */
  #isUncounted({ n, readings, atMs }: CountedLoss): boolean {
    if (n !== undefined || readings > 1) return false;
    return this.#ledger.diskFaults.some(({ fromMs, toMs }) => fromMs <= atMs && toMs >= atMs);
  }

  #endOf({ endedBy }: AgentRecord): LossCause {
    if (endedBy === 'stop') return 'stop while the disk failed';
    return endedBy === 'kill' ? 'kill' : 'power cut';
  }

  #checkReason(sample: Sample, { reason, agent }: CountedLoss): void {
    const ledger = this.#ledger;
    const { boot, number } = sample.agent;
    if ((reason === 'malformed' || reason === 'refused') && sample.poison === undefined) {
      ledger.reportViolation('no healthy reading dropped', `n=${sample.n}: ${reason}`, sample.takenMs);
    }
    if (reason !== 'undatable') return;
    // A process that starts during a boot may not know the boot offset of the previous one.
    const withOffset = ledger.agents.filter(
      (each) => each.boot === boot && each.offsetKnownMs !== undefined && each.number >= number,
    );
    const isDatable = withOffset.some((each) => !this.#bounds.mayBeLost(each));
    if (sample.wasUndated && boot !== agent.boot && !isDatable) return;
    ledger.reportViolation(
      'no unreported loss',
      `n=${sample.n}: undatable, but the offset of its boot was known`,
      sample.takenMs,
    );
  }

  /** Returns the number of readings reported as lost too often, as documented. */
  #checkNotes(): number {
    let overreported = 0;
    for (const [n, notes] of this.#notesOf) {
      const sample = this.#ledger.sample(n);
      if (!sample) continue;
      for (const [index, note] of notes.entries()) {
        const isAgain = notes.slice(0, index).some((other) => other.agent === note.agent);
        if (isAgain && !this.#mayBeTwiceOnDisk(sample, note))
          this.#ledger.reportViolation(
            'losses reported once',
            `n=${n} twice in process ${note.agent.number}`,
            note.atMs,
          );
        if (index > 0) overreported += 1;
      }
      if (sample.executions === 0) continue;
      overreported += 1;
      const [note] = notes;
      if (!note || sample.confirmedBy !== note.agent.number || this.#mayBeTwiceOnDisk(sample, note)) continue;
      if (this.#isOutOfOrder(n) || this.#parts.has(n)) continue;
      this.#ledger.reportViolation(
        'no false loss report',
        `n=${n}: ${note.reason}, although it was accepted`,
        note.atMs,
      );
    }
    return overreported;
  }

  /**
   * The end of a process forgets losses that it counted and has not reported, but only new ones: the next
   * reading brings the report to the server or to the disk.
   */
  #checkForgotten(): void {
    const { agents, samples } = this.#ledger;
    for (const agent of agents) {
      const { endedBy, unreported, unreportedSinceMs: sinceMs } = agent;
      if (!endedBy || unreported === 0 || sinceMs === undefined) continue;
      const fromMs = this.#bounds.fromMs(agent);
      const next = samples.find((each) => each.agent === agent && each.takenMs > sinceMs);
      if (!next || next.takenMs >= fromMs) continue;
      this.#ledger.reportViolation(
        'losses covered by gap records',
        `process ${agent.number} forgot ${unreported}, counted since ${formatTime(sinceMs)}`,
        sinceMs,
      );
    }
  }

  /**
   * Accepted while an earlier one was not: the lane acknowledges in its own order, so it had not acknowledged
   * this one.
   */
  #isOutOfOrder(n: number): boolean {
    for (let before = n - 1; before >= Math.max(1, n - OUT_OF_ORDER_MAX); before -= 1) {
      if (this.#ledger.sample(before)?.executions === 0) return true;
    }
    return false;
  }

  /** A batch whose write failed may be partly on the disk nevertheless, and is read again after a restart. */
  #mayBeTwiceOnDisk({ takenMs, agent }: Sample, { atMs, agent: later }: CountedLoss): boolean {
    return (
      agent !== later && this.#ledger.diskFaults.some(({ fromMs, toMs }) => fromMs <= atMs && toMs >= takenMs)
    );
  }

  /**
   * Every counted loss is reported, except those in memory at the end of a process, and gap records in a
   * segment that could not be read. Reported too often are gap records that were read again after a restart
   * and lost then. Returns the unreported losses.
   */
  #checkSums(): number {
    const { notes, gapRecords, agents, repeatedReports, unconfirmedReports } = this.#ledger;
    const counted = sum(notes);
    const missing = counted - sum([...this.#reported.values()].map((readings) => ({ readings })));
    const unreadMs = Math.max(0, ...notes.filter(({ n }) => n === undefined).map(({ atMs }) => atMs));
    const atRisk = gapRecords.filter(
      ({ agent, atMs }) => this.#bounds.fromMs(agent) <= atMs || atMs <= unreadMs,
    );
    // On the server already: delivered before a restart, or without a timestamp and with a lost response; or
    // reported again before, and read again from a segment whose deletion a power cut reverted.
    const isThere = ({ tsMs, reason, readings }: (typeof repeatedReports)[number], index: number) =>
      tsMs === undefined
        ? reason !== 'undatable' ||
          repeatedReports.findIndex((each) => each.tsMs === undefined && each.readings === readings) < index
        : this.#reported.has(Math.trunc(tsMs));
    const leastMissing = -sum(repeatedReports.filter(isThere)) - unconfirmedReports;
    // A process that was asked to stop had time to report, unless its disk failed.
    const unreported = agents.filter(
      (each) => each.endedBy !== 'stop' || Number.isFinite(this.#bounds.fromMs(each)),
    );
    const mostMissing = sum(atRisk) + unreported.reduce((all, each) => all + each.unreported, 0);
    if (missing >= leastMissing && missing <= mostMissing) return missing;
    this.#ledger.reportViolation(
      'losses covered by gap records',
      `${counted} counted, ${missing} of them not reported; allowed: ${leastMissing} to ${mostMissing}`,
    );
    return missing;
  }
}

function sum(each: readonly { readonly readings: number }[]): number {
  return each.reduce((all, { readings }) => all + readings, 0);
}

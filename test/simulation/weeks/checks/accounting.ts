/**
 * The accounts of one gateway: for every sample that the server does not have, the reason, and whether it was within the stated
 * bounds and told; for everything told, whether it is true.
 *
 * Stated: a power cut or a kill costs what was taken in the last `max(spoolAfter, flushEvery)` and had not been delivered, or
 * since the disk refused; everything else that is lost is counted, and told by a gap record. After a restart up to a segment
 * may come again, and be told again, or told although it had been delivered before.
 */

import type { LossReason } from '../../../../src/core/model/loss-report.ts';
import type { WeekPlan } from '../plan/week-plan.ts';
import { Bounds } from './bounds.ts';
import { at, type Ledger, type LifeRecord, type Note, type Sample } from './ledger.ts';

export type LossCause =
  | LossReason
  | 'power cut'
  | 'kill'
  | 'stop while the disk refused'
  | 'beyond the bounds';

export interface Accounts {
  readonly lost: ReadonlyMap<LossCause, number>;
  /** By the number of the sample. */
  readonly lossCause: ReadonlyMap<number, LossCause>;
  /** Told as lost more often than they were: the documented double counts. */
  readonly overreported: number;
  /** Counted as lost, and told to nobody: the process ended before the gap record was on the disk. */
  readonly unreported: number;
}

/** More than a file of the spool holds of our readings. */
const SEGMENT_READINGS_MAX = 700;

/** Readings in a window of sixteen messages. */
const OUT_OF_TURN_MAX = 1_000;

export class Accounting {
  readonly #ledger: Ledger;
  readonly #bounds: Bounds;
  readonly #reported: ReadonlyMap<number, number>;
  readonly #lost = new Map<LossCause, number>();
  readonly #lossReason = new Map<number, LossCause>();
  readonly #notesOf = new Map<number, Note[]>();
  /** Counted as lost without naming the sample. */
  #nameless = 0;
  /** What may have been in files that could not even be counted. */
  #uncounted = 0;

  /** `told`: the gap records that the server has, by date. */
  constructor(ledger: Ledger, plan: WeekPlan, reported: ReadonlyMap<number, number>) {
    this.#ledger = ledger;
    this.#bounds = new Bounds(ledger, plan);
    this.#reported = reported;
    for (const note of ledger.notes) if (note.n === undefined) this.#nameless += note.readings;
    for (const note of ledger.notes) if (this.#isUncounted(note)) this.#uncounted += SEGMENT_READINGS_MAX;
    for (const note of ledger.notes) {
      if (note.n === undefined) continue;
      const notes = this.#notesOf.get(note.n);
      if (notes) notes.push(note);
      else this.#notesOf.set(note.n, [note]);
    }
  }

  settle(): Accounts {
    for (const sample of this.#ledger.samples) {
      if (sample.executions > 0) continue;
      const by = this.#reasonFor(sample);
      this.#lossReason.set(sample.n, by);
      this.#lost.set(by, (this.#lost.get(by) ?? 0) + 1);
    }
    const overreported = this.#checkNotes() + this.#nameless;
    const unreported = Math.max(0, this.#checkSums());
    return { lost: this.#lost, lossCause: this.#lossReason, overreported, unreported };
  }

  #reasonFor(sample: Sample): LossCause {
    const [note] = this.#notesOf.get(sample.n) ?? [];
    if (note) {
      this.#checkReason(sample, note);
      return note.reason;
    }
    if (this.#bounds.fromMs(sample.life) <= sample.takenMs) return this.#endOf(sample.life);
    if (this.#nameless > 0) {
      this.#nameless -= 1;
      return 'damaged';
    }
    if (this.#uncounted > 0) {
      this.#uncounted -= 1;
      return 'damaged';
    }
    const { life } = sample;
    const end = life.how ? `${life.how} at ${at(life.stoppedMs ?? life.diedMs ?? 0)}` : 'alive';
    this.#ledger.recordGap(
      'nothing lost untold',
      `n=${sample.n} of life ${life.number} (${end}), taken at ${at(sample.takenMs)}${sample.wasUndated ? ' without a date' : ''}`,
      sample.takenMs,
    );
    return 'beyond the bounds';
  }

  /** A file that could not be read when the process began is told as one reading. */
  #isUncounted({ n, readings, atMs }: Note): boolean {
    if (n !== undefined || readings > 1) return false;
    return this.#ledger.refusals.some(({ fromMs, toMs }) => fromMs <= atMs && toMs >= atMs);
  }

  #endOf({ how }: LifeRecord): LossCause {
    if (how === 'stop') return 'stop while the disk refused';
    return how === 'kill' ? 'kill' : 'power cut';
  }

  #checkReason(sample: Sample, { reason, life }: Note): void {
    const ledger = this.#ledger;
    const { boot, number } = sample.life;
    if ((reason === 'malformed' || reason === 'refused') && sample.poison === undefined) {
      ledger.recordGap('healthy readings are not given up', `n=${sample.n}: ${reason}`, sample.takenMs);
    }
    if (reason !== 'undatable') return;
    // A process that begins in the middle of a boot knows nothing of what the one before knew.
    const anchored = ledger.lives.filter(
      (each) => each.boot === boot && each.anchoredMs !== undefined && each.number >= number,
    );
    const isDatable = anchored.some((each) => !this.#bounds.mayBeForgotten(each));
    if (sample.wasUndated && boot !== life.boot && !isDatable) return;
    ledger.recordGap(
      'nothing lost untold',
      `n=${sample.n}: undatable, but its boot was dated`,
      sample.takenMs,
    );
  }

  /** Returns how many were told more often than they were lost, by what is documented. */
  #checkNotes(): number {
    let overreported = 0;
    for (const [n, notes] of this.#notesOf) {
      const sample = this.#ledger.sample(n);
      if (!sample) continue;
      for (const [index, note] of notes.entries()) {
        const isAgain = notes.slice(0, index).some((other) => other.life === note.life);
        if (isAgain && !this.#mayBeTwiceOnDisk(sample, note))
          this.#ledger.recordGap('losses told once', `n=${n} twice in life ${note.life.number}`, note.atMs);
        if (index > 0) overreported += 1;
      }
      if (sample.executions === 0) continue;
      overreported += 1;
      const [note] = notes;
      if (!note || sample.heardInLife !== note.life.number || this.#mayBeTwiceOnDisk(sample, note)) continue;
      if (this.#isOutOfTurn(n)) continue;
      this.#ledger.recordGap(
        'nothing told that is there',
        `n=${n}: ${note.reason}, though it was accepted`,
        note.atMs,
      );
    }
    return overreported;
  }

  /** Accepted while one before it was not: the lane hears of both in its own order, and so had not heard of this one. */
  #isOutOfTurn(n: number): boolean {
    for (let before = n - 1; before >= Math.max(1, n - OUT_OF_TURN_MAX); before -= 1) {
      if (this.#ledger.sample(before)?.executions === 0) return true;
    }
    return false;
  }

  /** What of a batch that the disk refused is on it nevertheless, is read after a restart as well. */
  #mayBeTwiceOnDisk({ takenMs, life }: Sample, { atMs, life: later }: Note): boolean {
    return (
      life !== later && this.#ledger.refusals.some(({ fromMs, toMs }) => fromMs <= atMs && toMs >= takenMs)
    );
  }

  /**
   * Everything counted as lost is told, but for what was in memory when a life ended, and gap records in a file that could not
   * be read. What is told too often are gap records that came again after a restart and were lost then. Returns what is not told.
   */
  #checkSums(): number {
    const {
      notes,
      gapRecords: tells,
      lives,
      repeatedReports: retells,
      unheardReports: toldUnheard,
    } = this.#ledger;
    const counted = sum(notes);
    const missing = counted - sum([...this.#reported.values()].map((readings) => ({ readings })));
    const unreadMs = Math.max(0, ...notes.filter(({ n }) => n === undefined).map(({ atMs }) => atMs));
    const atRisk = tells.filter(({ life, atMs }) => this.#bounds.fromMs(life) <= atMs || atMs <= unreadMs);
    // At the server already: delivered before a restart, or without a date and the answer lost; or retold before, and come
    // back with a file whose removal a power cut undid.
    const isThere = ({ tsMs, reason, readings }: (typeof retells)[number], index: number) =>
      tsMs === undefined
        ? reason !== 'undatable' ||
          retells.findIndex((each) => each.tsMs === undefined && each.readings === readings) < index
        : this.#reported.has(Math.trunc(tsMs));
    const leastMissing = -sum(retells.filter(isThere)) - toldUnheard;
    // Who was asked to stop had the time to tell, but for one whose disk refused it.
    const unreported = lives.filter(
      (each) => each.how !== 'stop' || Number.isFinite(this.#bounds.fromMs(each)),
    );
    const mostMissing = sum(atRisk) + unreported.reduce((all, each) => all + each.unreported, 0);
    if (missing >= leastMissing && missing <= mostMissing) return missing;
    this.#ledger.recordGap(
      'losses covered by gap records',
      `${counted} counted, ${missing} of them not told; stated: ${leastMissing} to ${mostMissing}`,
    );
    return missing;
  }
}

function sum(each: readonly { readonly readings: number }[]): number {
  return each.reduce((all, { readings }) => all + readings, 0);
}

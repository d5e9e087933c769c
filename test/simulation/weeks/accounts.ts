/**
 * The accounts of one gateway: for every sample that the server does not have, the reason, and whether it was within the stated
 * bounds and told; for everything told, whether it is true.
 *
 * Stated: a power cut or a kill costs what was taken in the last `max(spoolAfter, flushEvery)` and had not been delivered, or
 * since the disk refused; everything else that is lost is counted, and told by a gap record. After a restart up to a segment
 * may come again, and be told again, or told although it had been delivered before.
 */

import type { LossReason } from '../../../src/core/losses.ts';
import { at, type Ledger, type LifeRecord, type Note, type Sample } from './ledger.ts';
import { DRIFT_MAX, MINUTE, SECOND, type WeekPlan } from './week-plan.ts';

export type LostBy = LossReason | 'power cut' | 'kill' | 'stop while the disk refused' | 'beyond the bounds';

export interface Accounts {
  readonly lost: ReadonlyMap<LostBy, number>;
  /** By the number of the sample. */
  readonly lostBy: ReadonlyMap<number, LostBy>;
  /** Told as lost more often than they were: the documented double counts. */
  readonly toldTooMuch: number;
}

/** What a flush takes beside the disk's own time: a live reading that is under way holds it up, ms. */
const FLUSH_MS = 15 * SECOND;
/** Operations on the disk in two flushes, one that is under way and the one that follows, with the lanes' between them. */
const FLUSH_STEPS = 24;

export class Accountant {
  readonly #ledger: Ledger;
  readonly #plan: WeekPlan;
  readonly #told: ReadonlyMap<number, number>;
  readonly #lost = new Map<LostBy, number>();
  readonly #lostBy = new Map<number, LostBy>();
  readonly #notesOf = new Map<number, Note[]>();
  /** Counted as lost without naming the sample. */
  #nameless: number;

  /** `told`: the gap records that the server has, by date. */
  constructor(ledger: Ledger, plan: WeekPlan, told: ReadonlyMap<number, number>) {
    this.#ledger = ledger;
    this.#plan = plan;
    this.#told = told;
    this.#nameless = sum(ledger.notes.filter(({ n }) => n === undefined));
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
      this.#lostBy.set(sample.n, by);
      this.#lost.set(by, (this.#lost.get(by) ?? 0) + 1);
    }
    const toldTooMuch = this.#checkNotes() + this.#nameless;
    this.#checkSums();
    return { lost: this.#lost, lostBy: this.#lostBy, toldTooMuch };
  }

  /** How long before its end a life may have kept readings in memory only, ms. */
  get boundMs(): number {
    const { settings, diskStepMsMax } = this.#plan;
    const { spoolAfterMs, flushEveryMs } = settings;
    return Math.max(spoolAfterMs, flushEveryMs) * (1 + DRIFT_MAX) + FLUSH_MS + FLUSH_STEPS * diskStepMsMax;
  }

  #reasonFor(sample: Sample): LostBy {
    const [note] = this.#notesOf.get(sample.n) ?? [];
    if (note) {
      this.#checkReason(sample, note);
      return note.why;
    }
    if (this.#fromMs(sample.life) <= sample.takenMs) return this.#endOf(sample.life);
    if (this.#nameless > 0) {
      this.#nameless -= 1;
      return 'damaged';
    }
    const { life } = sample;
    const end = life.how ? `${life.how} at ${at(life.stoppedMs ?? life.diedMs ?? 0)}` : 'alive';
    this.#ledger.tell(
      'nothing lost untold',
      `n=${sample.n} of life ${life.number} (${end}), taken at ${at(sample.takenMs)}${sample.wasUndated ? ' without a date' : ''}`,
      sample.takenMs,
    );
    return 'beyond the bounds';
  }

  #endOf({ how }: LifeRecord): LostBy {
    if (how === 'stop') return 'stop while the disk refused';
    return how === 'kill' ? 'kill' : 'power cut';
  }

  /** From when on what a life took may be lost by its end, virtual ms. */
  #fromMs(life: LifeRecord): number {
    const { how, diedMs = Number.POSITIVE_INFINITY, stoppedMs } = life;
    if (!how) return Number.POSITIVE_INFINITY;
    const isStop = how === 'stop';
    const endMs = isStop ? (stoppedMs ?? diedMs) : diedMs;
    let fromMs = isStop ? Number.POSITIVE_INFINITY : endMs - this.boundMs;
    for (const phase of [...this.#ledger.refusals].reverse()) {
      if (phase.fromMs > diedMs) continue;
      // What memory kept meanwhile goes to the disk with the next flush.
      const keptUntilMs = phase.toMs + (isStop ? 0 : this.boundMs + MINUTE);
      if (keptUntilMs >= Math.min(fromMs, endMs)) fromMs = Math.min(fromMs, phase.fromMs - this.boundMs);
    }
    return fromMs;
  }

  #checkReason(sample: Sample, { why, life }: Note): void {
    const ledger = this.#ledger;
    const { boot, number } = sample.life;
    if ((why === 'malformed' || why === 'refused') && sample.poison === undefined) {
      ledger.tell('healthy readings are not given up', `n=${sample.n}: ${why}`, sample.takenMs);
    }
    if (why !== 'undatable') return;
    // A process that begins in the middle of a boot knows nothing of what the one before knew.
    const anchored = ledger.lives.filter(
      (each) => each.boot === boot && each.anchoredMs !== undefined && each.number >= number,
    );
    const isDatable = anchored.some((each) => !this.#mayBeForgotten(each));
    if (sample.wasUndated && boot !== life.boot && !isDatable) return;
    ledger.tell('nothing lost untold', `n=${sample.n}: undatable, but its boot was dated`, sample.takenMs);
  }

  /** The date of a boot is lost with the life that learnt it: before it was on the disk, or because the disk refused it. */
  #mayBeForgotten({ anchoredMs = 0, diedMs }: LifeRecord): boolean {
    if (diedMs === undefined) return false;
    const graceMs = 30 * this.#plan.diskStepMsMax;
    if (diedMs - anchoredMs <= graceMs) return true;
    return this.#ledger.refusals.some(({ fromMs, toMs }) => fromMs <= anchoredMs && toMs >= anchoredMs - graceMs);
  }

  /** Returns how many were told more often than they were lost, by what is documented. */
  #checkNotes(): number {
    let tooMuch = 0;
    for (const [n, notes] of this.#notesOf) {
      const sample = this.#ledger.sample(n);
      if (!sample) continue;
      for (const [index, note] of notes.entries()) {
        const isAgain = notes.slice(0, index).some((other) => other.life === note.life);
        if (isAgain) this.#ledger.tell('losses told once', `n=${n} twice in life ${note.life.number}`, note.atMs);
        if (index > 0) tooMuch += 1;
      }
      if (sample.executions === 0) continue;
      tooMuch += 1;
      const [note] = notes;
      if (!note || sample.heardInLife !== note.life.number || this.#mayBeTwiceOnDisk(sample, note)) continue;
      this.#ledger.tell('nothing told that is there', `n=${n}: ${note.why}, though it was accepted`, note.atMs);
    }
    return tooMuch;
  }

  /** What of a batch that the disk refused is on it nevertheless, is read after a restart as well. */
  #mayBeTwiceOnDisk({ takenMs, life }: Sample, { atMs, life: later }: Note): boolean {
    return life !== later && this.#ledger.refusals.some(({ fromMs, toMs }) => fromMs <= atMs && toMs >= takenMs);
  }

  /**
   * Everything counted as lost is told, but for what was in memory when a life ended, and gap records in a file that could not
   * be read. What is told too often are gap records that came again after a restart and were lost then.
   */
  #checkSums(): void {
    const { notes, tells, lives, retells } = this.#ledger;
    const counted = sum(notes);
    const missing = counted - sum([...this.#told.values()].map((readings) => ({ readings })));
    const unreadMs = Math.max(0, ...notes.filter(({ n }) => n === undefined).map(({ atMs }) => atMs));
    const atRisk = tells.filter(({ life, atMs }) => this.#fromMs(life) <= atMs || atMs <= unreadMs);
    const leastMissing = -sum(retells.filter(({ tsMs }) => tsMs !== undefined && this.#told.has(Math.trunc(tsMs))));
    // Who was asked to stop had the time to tell.
    const untold = lives.filter(({ how }) => how === 'power' || how === 'kill');
    const mostMissing = sum(atRisk) + untold.reduce((all, each) => all + each.untold, 0);
    if (missing >= leastMissing && missing <= mostMissing) return;
    this.#ledger.tell(
      'losses covered by gap records',
      `${counted} counted, ${missing} of them not told; stated: ${leastMissing} to ${mostMissing}`,
    );
  }
}

function sum(each: readonly { readonly readings: number }[]): number {
  return each.reduce((all, { readings }) => all + readings, 0);
}

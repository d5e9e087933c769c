/**
 * The stated bounds of what a gateway may lose without telling: what a life had in memory only when it ended.
 */

import { DRIFT_MAX, MINUTE, SECOND, type WeekPlan } from '../plan/week-plan.ts';
import type { Ledger, LifeRecord } from './ledger.ts';

/** What a flush takes beside the disk's own time: a live reading that is under way holds it up, ms. */
const FLUSH_MS = 15 * SECOND;
/** Operations on the disk in two flushes, one that is under way and the one that follows, with the lanes' between them. */
const FLUSH_STEPS = 24;

export class Bounds {
  readonly #ledger: Ledger;
  readonly #plan: WeekPlan;

  constructor(ledger: Ledger, plan: WeekPlan) {
    this.#ledger = ledger;
    this.#plan = plan;
  }

  /** How long before its end a life may have kept readings in memory only, ms. */
  get boundMs(): number {
    const { settings, diskStepMsMax } = this.#plan;
    const { spoolAfterMs, flushEveryMs } = settings;
    return Math.max(spoolAfterMs, flushEveryMs) * (1 + DRIFT_MAX) + FLUSH_MS + FLUSH_STEPS * diskStepMsMax;
  }

  /** From when on what a life took may be lost by its end, virtual ms. */
  fromMs(life: LifeRecord): number {
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

  /** The date of a boot is lost with the life that learnt it: before it was on the disk, or because the disk refused it. */
  mayBeForgotten({ anchoredMs = 0, diedMs }: LifeRecord): boolean {
    if (diedMs === undefined) return false;
    const graceMs = 30 * this.#plan.diskStepMsMax;
    if (diedMs - anchoredMs <= graceMs) return true;
    return this.#ledger.refusals.some(
      ({ fromMs, toMs }) => fromMs <= anchoredMs && toMs >= anchoredMs - graceMs,
    );
  }
}

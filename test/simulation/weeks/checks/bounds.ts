/**
 * The documented bounds of what a gateway may lose without a report: readings that a process had only in
 * memory at its end.
 */

import { DRIFT_MAX, MINUTE, SECOND, type WeekPlan } from '../plan/week-plan.ts';
import type { AgentRecord, Ledger } from './ledger.ts';

/** The duration of a flush without the disk operations, ms: an undated reading in flight delays it. */
const FLUSH_MS = 15 * SECOND;
/** Disk operations of two flushes, the current and the next one, and those of the lanes in between. */
const FLUSH_STEPS = 24;

export class Bounds {
  readonly #ledger: Ledger;
  readonly #plan: WeekPlan;

  constructor(ledger: Ledger, plan: WeekPlan) {
    this.#ledger = ledger;
    this.#plan = plan;
  }

  /** How long before its end a process may have had readings only in memory, ms. */
  get boundMs(): number {
    const { settings, diskStepMsMax } = this.#plan;
    const { spoolAfterMs, flushEveryMs } = settings;
    return Math.max(spoolAfterMs, flushEveryMs) * (1 + DRIFT_MAX) + FLUSH_MS + FLUSH_STEPS * diskStepMsMax;
  }

  /** Readings taken since this time may be lost with the process, virtual ms. */
  fromMs(agent: AgentRecord): number {
    const { endedBy, diedMs = Number.POSITIVE_INFINITY, stoppedMs } = agent;
    if (!endedBy) return Number.POSITIVE_INFINITY;
    const isStop = endedBy === 'stop';
    const endMs = isStop ? (stoppedMs ?? diedMs) : diedMs;
    let fromMs = isStop ? Number.POSITIVE_INFINITY : endMs - this.boundMs;
    for (const phase of [...this.#ledger.diskFaults].reverse()) {
      if (phase.fromMs > diedMs) continue;
      // Readings kept in memory meanwhile are written with the next flush.
      const keptUntilMs = phase.toMs + (isStop ? 0 : this.boundMs + MINUTE);
      if (keptUntilMs >= Math.min(fromMs, endMs)) fromMs = Math.min(fromMs, phase.fromMs - this.boundMs);
    }
    return fromMs;
  }

  /** Whether the boot offset may be lost with the process: it was not on the disk yet, or the disk failed. */
  mayBeLost({ offsetKnownMs = 0, diedMs }: AgentRecord): boolean {
    if (diedMs === undefined) return false;
    const graceMs = 30 * this.#plan.diskStepMsMax;
    if (diedMs - offsetKnownMs <= graceMs) return true;
    return this.#ledger.diskFaults.some(
      ({ fromMs, toMs }) => fromMs <= offsetKnownMs && toMs >= offsetKnownMs - graceMs,
    );
  }
}

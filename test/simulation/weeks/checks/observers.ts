/**
 * Witnesses: wrappers around parts of the agent that write down in the ledger what passes, and change nothing.
 */

import { GAP_KEYS, type LossReport } from '../../../../src/core/model/loss-report.ts';
import type { Reading } from '../../../../src/core/model/reading.ts';
import type { Clock } from '../../../../src/core/ports/clock.ts';
import type { Lane, Outbox } from '../../../../src/core/ports/outbox.ts';
import type { Spool } from '../../../../src/outbox/spool/spool.ts';
import { override } from '../../override.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { WeekSettings } from '../plan/week-plan.ts';
import type { Ledger, LifeRecord } from './ledger.ts';

export interface ObserverPorts {
  readonly ledger: Ledger;
  readonly time: VirtualTime;
  readonly life: LifeRecord;
}

/** Every reading counted as lost, and every gap record made. A retold gap record is neither. */
export function observedLossReport(losses: LossReport, { ledger, time, life }: ObserverPorts): LossReport {
  return override<LossReport>(losses, {
    add: (loss) => {
      if (life.diedMs !== undefined) return;
      ledger.trace(() => `lost: ${loss.readings} ${loss.reason}`);
      ledger.notes.push({ life, atMs: time.nowMs, ...withoutUndefined(loss) });
      losses.add(loss);
    },
    addReading: (reading, reason) => {
      // In what is left of the turn in which a process dies, it changes nothing any more.
      if (life.diedMs !== undefined) return;
      if (reading.gap) {
        const readings = Number(reading.values[GAP_KEYS.readings] ?? 1);
        ledger.trace(() => `retold: a gap record of ${readings}, ${reason}`);
        ledger.repeatedReports.push({ readings, reason, tsMs: reading.tsMs });
      } else {
        const { n } = reading.values;
        ledger.trace(() => `lost: n=${n} ${reason}`);
        const ms = reading.tsMs === undefined ? {} : { fromMs: reading.tsMs, toMs: reading.tsMs };
        ledger.notes.push({
          life,
          atMs: time.nowMs,
          reason,
          readings: 1,
          ...(typeof n === 'number' && { n }),
          ...ms,
        });
      }
      losses.addReading(reading, reason);
    },
    takeGapRecord: (stamp) => {
      if (life.diedMs !== undefined) return undefined;
      const gap = losses.takeGapRecord(stamp);
      if (!gap) return undefined;
      const readings = Number(gap.values[GAP_KEYS.readings]);
      ledger.trace(() => `told: ${JSON.stringify(gap)}`);
      ledger.gapRecords.push({ life, atMs: time.nowMs, readings });
      return gap;
    },
  });
}

function withoutUndefined<T extends { fromMs?: number | undefined; toMs?: number | undefined }>(loss: T) {
  const { fromMs, toMs, ...others } = loss;
  return { ...others, ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
}

/** Which samples were taken from the backlog, which had no date, and when the boot was dated. */
export function observedOutbox(outbox: Outbox, { ledger, time, life }: ObserverPorts): Outbox {
  const { backlog } = outbox;
  return override<Outbox>(outbox, {
    fresh: outbox.fresh,
    backlog: override<Lane>(backlog, {
      take: async (max) => {
        const readings = await backlog.take(max);
        for (const reading of readings) {
          const sample = sampleOf(ledger, reading);
          if (sample) sample.backlogOfLife = life.number;
        }
        return readings;
      },
    }),
    append: (reading) => {
      const sample = sampleOf(ledger, reading);
      if (sample && reading.tsMs === undefined) sample.wasUndated = true;
      outbox.append(reading);
    },
    setBootOffset: async (offsetMs) => {
      await outbox.setBootOffset(offsetMs);
      life.anchoredMs = time.nowMs;
      ledger.trace('anchored');
    },
  });
}

/** Whether there is a reason to write to the disk just now. */
export interface Reason {
  now: number;
}

/** Something has waited long enough, or there is something on the disk that must be dated. */
export function observedSpool(
  spool: Spool,
  {
    clock,
    reason,
    settings,
  }: { readonly clock: Clock; readonly reason: Reason; readonly settings: WeekSettings },
): Spool {
  const leastMs = Math.min(settings.spoolAfterMs, settings.flushEveryMs) - 1;
  const during = async (isReason: boolean, work: () => Promise<void>) => {
    reason.now += isReason ? 1 : 0;
    try {
      await work();
    } finally {
      reason.now -= isReason ? 1 : 0;
    }
  };
  return override<Spool>(spool, {
    append: (readings) => {
      const bootMs = clock.bootMs();
      // A gap record is as old as its writing; what it tells has waited before.
      const isDue = (reading: Reading) =>
        reading.gap || reading.bootId !== clock.bootId || bootMs - reading.bootMs >= leastMs;
      return during(spool.size > 0 || readings.some(isDue), () => spool.append(readings));
    },
    // What is still on its way to the disk may have to be dated there: only the agent can know.
    setBootOffset: (offsetMs) => during(true, () => spool.setBootOffset(offsetMs)),
  });
}

function sampleOf(ledger: Ledger, { values, gap }: Reading) {
  const { n } = values;
  return gap || typeof n !== 'number' ? undefined : ledger.sample(n);
}

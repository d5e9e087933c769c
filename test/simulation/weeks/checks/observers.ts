/**
 * Wrappers around parts of the agent that record in the ledger what passes through them, and change nothing.
 */

import { GAP_KEYS, type LossReport } from '../../../../src/core/model/loss-report.ts';
import type { Reading } from '../../../../src/core/model/reading.ts';
import type { Clock } from '../../../../src/core/ports/clock.ts';
import type { Lane, Outbox } from '../../../../src/core/ports/outbox.ts';
import type { Spool } from '../../../../src/outbox/spool/spool.ts';
import { override } from '../../override.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { WeekSettings } from '../plan/week-plan.ts';
import type { AgentRecord, Ledger } from './ledger.ts';

export interface ObserverPorts {
  readonly ledger: Ledger;
  readonly time: VirtualTime;
  readonly agent: AgentRecord;
}

/** Records every reading counted as lost and every new gap record; a lost gap record is neither. */
export function observedLossReport(losses: LossReport, { ledger, time, agent }: ObserverPorts): LossReport {
  return override<LossReport>(losses, {
    add: (loss) => {
      if (agent.diedMs !== undefined) return;
      ledger.trace(() => `lost: ${loss.readings} ${loss.reason}`);
      ledger.notes.push({ agent, atMs: time.nowMs, ...withoutUndefined(loss) });
      agent.unreportedSinceMs ??= time.nowMs;
      losses.add(loss);
    },
    addReading: (reading, reason) => {
      // A dead process changes nothing in the rest of its turn.
      if (agent.diedMs !== undefined) return;
      if (reading.gap) {
        const readings = Number(reading.values[GAP_KEYS.readings] ?? 1);
        ledger.trace(() => `lost: a gap record of ${readings}, ${reason}`);
        ledger.repeatedReports.push({ readings, reason, tsMs: reading.tsMs });
      } else {
        const { n } = reading.values;
        ledger.trace(() => `lost: n=${n} ${reason}`);
        const ms = reading.tsMs === undefined ? {} : { fromMs: reading.tsMs, toMs: reading.tsMs };
        ledger.notes.push({
          agent,
          atMs: time.nowMs,
          reason,
          readings: 1,
          ...(typeof n === 'number' && { n }),
          ...ms,
        });
      }
      agent.unreportedSinceMs ??= time.nowMs;
      losses.addReading(reading, reason);
    },
    takeGapRecord: (instant) => {
      if (agent.diedMs !== undefined) return undefined;
      const gap = losses.takeGapRecord(instant);
      if (!gap) return undefined;
      agent.unreportedSinceMs = undefined;
      const readings = Number(gap.values[GAP_KEYS.readings]);
      ledger.trace(() => `reported: ${JSON.stringify(gap)}`);
      ledger.gapRecords.push({ agent, atMs: time.nowMs, readings });
      return gap;
    },
  });
}

function withoutUndefined<T extends { fromMs?: number | undefined; toMs?: number | undefined }>(loss: T) {
  const { fromMs, toMs, ...others } = loss;
  return { ...others, ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
}

/**
 * Records which samples were taken from the backlog, which had no timestamp, and when the boot offset was
 * stored.
 */
export function observedOutbox(outbox: Outbox, { ledger, time, agent }: ObserverPorts): Outbox {
  const { backlog } = outbox;
  return override<Outbox>(outbox, {
    fresh: outbox.fresh,
    backlog: override<Lane>(backlog, {
      take: async (max) => {
        const readings = await backlog.take(max);
        for (const reading of readings) {
          const sample = sampleOf(ledger, reading);
          if (sample) sample.backlogOf = agent.number;
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
      agent.offsetKnownMs = time.nowMs;
      ledger.trace('boot offset stored');
    },
  });
}

/** Reasons to write to the disk now; 0: none. */
export interface WriteReasons {
  now: number;
}

export interface SpoolObserverPorts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly reason: WriteReasons;
  readonly settings: WeekSettings;
}

/** Counts the reasons: readings are old enough, or stored readings need timestamps. Records which samples are on the disk. */
export function observedSpool(spool: Spool, { ledger, clock, reason, settings }: SpoolObserverPorts): Spool {
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
      // A gap record is new, but the losses that it reports are old enough.
      const isDue = (reading: Reading) =>
        reading.gap || reading.bootId !== clock.bootId || bootMs - reading.bootMs >= leastMs;
      return during(spool.size > 0 || readings.some(isDue), async () => {
        await spool.append(readings);
        for (const reading of readings) {
          const sample = sampleOf(ledger, reading);
          if (sample) sample.isOnDisk = true;
        }
      });
    },
    // Readings on their way to the disk may need the offset there, which only the agent knows.
    setBootOffset: (offsetMs) => during(true, () => spool.setBootOffset(offsetMs)),
  });
}

function sampleOf(ledger: Ledger, { values, gap }: Reading) {
  const { n } = values;
  return gap || typeof n !== 'number' ? undefined : ledger.sample(n);
}

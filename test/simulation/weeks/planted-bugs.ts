/**
 * Bugs planted to test the simulation of weeks: each breaks one promise, and the checks must detect that.
 * They are wrappers around the ports of the agent, so that src/ always is the shipped code.
 */

import type { LossReport } from '../../../src/core/model/loss-report.ts';
import type { Reading, Value, Values } from '../../../src/core/model/reading.ts';
import type { TimeSync } from '../../../src/core/ports/clock.ts';
import type { Lane, Outbox } from '../../../src/core/ports/outbox.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';
import type { Spool } from '../../../src/outbox/spool/spool.ts';
import { DOWNLINK_PLANTS } from '../downlink/planted-bugs.ts';
import { override } from '../override.ts';

export const WEEK_PLANTS = {
  'ack-before-answer': 'a batch is delivered as soon as it is sent',
  'no-fsync': 'sync does nothing in the directory of the spool',
  'ack-one-more': 'a batch acknowledges one reading more than was in it',
  'wall-timestamps': 'readings get the time of an unsynchronised wall clock',
  'delta-after-restart': 'the first reading of a process has only the changes since the previous process',
  'losses-not-reported': 'losses are discarded instead of reported',
  'undatable-not-counted': 'readings that can never get a timestamp are discarded without being counted',
  'failed-write-ignored': 'a failed write to the spool counts as done',
  'ts-changed-on-retry': 'a repeated body has other timestamps',
  'timestamps-restart': 'a process does not restore the boot offset of the previous process',
  'undated-repeated': 'a reading without a timestamp is sent again if its response is lost',
  ...DOWNLINK_PLANTS,
} as const;

export type WeekPlant = keyof typeof WEEK_PLANTS;

export const WEEK_PLANT_NAMES = Object.keys(WEEK_PLANTS) as WeekPlant[];

export function plantedTransport(transport: Transport, plant: WeekPlant | undefined): Transport {
  switch (plant) {
    case 'ack-before-answer':
      return override<Transport>(transport, {
        postTelemetry: async (token, body, signal) => {
          void transport.postTelemetry(token, body, signal);
          return { ok: true, value: undefined };
        },
      });
    case 'ts-changed-on-retry':
      return changingTimestamps(transport);
    case 'undated-repeated':
      return override<Transport>(transport, {
        postTelemetry: async (token, body, signal) => {
          const result = await transport.postTelemetry(token, body, signal);
          // Only the time-out of an undated reading ends so; the signal of the loop is not aborted.
          if (result.ok || body.includes('"ts":')) return result;
          return transport.postTelemetry(token, body, new AbortController().signal);
        },
      });
    default:
      return transport;
  }
}

function changingTimestamps(transport: Transport): Transport {
  const sent = new Set<string>();
  return override<Transport>(transport, {
    postTelemetry: (token, body, signal) => {
      const isAgain = sent.has(body);
      sent.add(body);
      const later = (_: string, ts: string) => `"ts":${Number(ts) + 1}`;
      const text = isAgain ? body.replace(/"ts":([\d.]+)/g, later) : body;
      return transport.postTelemetry(token, text, signal);
    },
  });
}

export function plantedTimeSync(timeSync: TimeSync, plant: WeekPlant | undefined): TimeSync {
  if (plant !== 'wall-timestamps') return timeSync;
  return { isSynchronised: async () => true, confirmsStep: async () => true };
}

export function plantedLosses(losses: LossReport, plant: WeekPlant | undefined): LossReport {
  if (plant === 'undatable-not-counted')
    return override<LossReport>(losses, {
      addReading: (reading, reason) => {
        if (reason !== 'undatable') losses.addReading(reading, reason);
      },
    });
  if (plant !== 'losses-not-reported') return losses;
  return override<LossReport>(losses, {
    takeGapRecord: (instant) => {
      losses.takeGapRecord(instant);
      return undefined;
    },
  });
}

export function plantedSpool(spool: Spool, plant: WeekPlant | undefined): Spool {
  if (plant !== 'failed-write-ignored') return spool;
  return override<Spool>(spool, { append: (readings) => spool.append(readings).catch(() => {}) });
}

/** The last values of a process, for the bug that uses them in the next one. */
export interface Inheritance {
  values: Values | undefined;
}

export function plantedOutbox(
  outbox: Outbox,
  plant: WeekPlant | undefined,
  inheritance: Inheritance,
): Outbox {
  if (plant === 'ack-one-more') {
    const { fresh, backlog } = outbox;
    return override<Outbox>(outbox, { fresh: overreporting(fresh), backlog: overreporting(backlog) });
  }
  if (plant === 'delta-after-restart') return recordingCalls(outbox, inheritance);
  return outbox;
}

function overreporting(lane: Lane): Lane {
  return override<Lane>(lane, { acknowledge: (count, epoch) => lane.acknowledge(count + 1, epoch) });
}

function recordingCalls(outbox: Outbox, inheritance: Inheritance): Outbox {
  const inherited = inheritance.values;
  let isFirst = true;
  return override<Outbox>(outbox, {
    append: (reading) => {
      const before = isFirst && inherited;
      isFirst = false;
      inheritance.values = reading.isSnapshot ? reading.values : { ...inheritance.values, ...reading.values };
      outbox.append(before ? changedSince(before, reading) : reading);
    },
  });
}

function changedSince(before: Values, reading: Reading): Reading {
  const values: Record<string, Value> = {};
  for (const [key, value] of Object.entries(reading.values)) if (value !== before[key]) values[key] = value;
  return { ...reading, values, isSnapshot: false };
}

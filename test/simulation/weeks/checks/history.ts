/**
 * The history that the server has of one gateway, against what was sampled: the dates, and the values of whoever carries the
 * last one forward.
 */

import { UNDATED_AGE_MS_MAX } from '../../../../src/core/delivery/undated.ts';
import { SECOND } from '../plan/week-plan.ts';
import { EPOCH_MS, type HostTime } from '../world/host-time.ts';
import type { Points } from '../world/week-server.ts';
import type { LossCause } from './accounting.ts';
import { at, type Ledger, type Sample } from './ledger.ts';

/** How far a date may be off beside what the oscillator drifts while nobody corrects it, ms. */
const DATE_MS = 1_000;
/** Longest delay of a datagram, with a margin, ms. */
const DELAY_MS = 4 * SECOND + 100;
export interface History {
  readonly storedOnce: number;
  /** Once without a date, whose answer was lost, and once more with it. */
  readonly storedTwice: number;
  /** Times a reading was stored anew under the date it had. */
  readonly repeated: number;
}

export function checkDates(ledger: Ledger, host: HostTime): History {
  let storedOnce = 0;
  let storedTwice = 0;
  let repeated = 0;
  for (const sample of ledger.samples) {
    const { dated, arrivals, executions } = sample;
    if (executions === 0) continue;
    repeated += executions - 1;
    if (dated.size + arrivals.length === 1) storedOnce += 1;
    else checkTwice(ledger, sample);
    if (dated.size === 1 && arrivals.length === 1) storedTwice += 1;
    for (const ts of dated) checkDate(ledger, host, sample, ts);
    for (const ts of arrivals) checkArrival(ledger, sample, ts);
  }
  return { storedOnce, storedTwice, repeated };
}

function checkTwice(ledger: Ledger, { n, dated, arrivals, unheardLive, takenMs }: Sample): void {
  const dates = [...dated].map((ts) => at(ts - EPOCH_MS)).join(', ');
  if (dated.size > 1) ledger.recordGap('one date', `n=${n}: ${dates}`, takenMs);
  if (arrivals.length > 1) {
    ledger.recordGap('stored once', `n=${n}: ${arrivals.length} times without a date`, takenMs);
  } else if (arrivals.length === 1 && unheardLive === 0) {
    ledger.recordGap('stored once', `n=${n}: without a date, heard, and again at ${dates}`, takenMs);
  }
}

function checkDate(
  ledger: Ledger,
  host: HostTime,
  { n, takenMs, life, wasUndated }: Sample,
  ts: number,
): void {
  const offMs = ts - EPOCH_MS - takenMs;
  const mostMs = DATE_MS + host.holdOverMs(life.boot, takenMs, wasUndated);
  if (Math.abs(offMs) <= mostMs) return;
  const how = wasUndated ? 'later' : 'at once';
  ledger.recordGap(
    'dated right',
    `n=${n}: off by ${Math.round(offMs)} ms of ${Math.round(mostMs)}, dated ${how}`,
    takenMs,
  );
}

function checkArrival(ledger: Ledger, { n, takenMs }: Sample, ts: number): void {
  const lateMs = ts - EPOCH_MS - takenMs;
  if (lateMs < 0 || lateMs > UNDATED_AGE_MS_MAX + DELAY_MS) {
    ledger.recordGap('dated right', `n=${n}: dated by the server ${Math.round(lateMs)} ms after`, takenMs);
  }
}

/** Carries every value forward; returns how many readings lay in a window in which that may be wrong, and was. */
export function checkValues(
  ledger: Ledger,
  stored: ReadonlyMap<number, Points>,
  lostBy: ReadonlyMap<number, LossCause>,
): number {
  const carried: Record<string, unknown> = {};
  let excused = 0;
  for (const [ts, { n, values }] of [...stored].sort(([one], [other]) => one - other)) {
    Object.assign(carried, values);
    const sample = n === undefined ? undefined : ledger.sample(n);
    if (!sample) continue;
    const wrong = Object.keys(sample.values).find((key) => carried[key] !== sample.values[key]);
    if (wrong === undefined) continue;
    if (isInWindow(ledger, sample, stored, lostBy)) excused += 1;
    else {
      ledger.recordGap(
        'history reconstructs',
        `n=${n} at ${at(ts - EPOCH_MS)}: ${wrong}=${carried[wrong]}, sampled ${sample.values[wrong]}; ${context(ledger, sample, lostBy)}`,
        sample.takenMs,
      );
    }
  }
  return excused;
}

/** One of the same process before it is lost, with no full reading in between. */
function isInWindow(
  ledger: Ledger,
  sample: Sample,
  stored: ReadonlyMap<number, Points>,
  lostBy: ReadonlyMap<number, LossCause>,
): boolean {
  for (let n = sample.n - 1; n >= 1; n -= 1) {
    const before = ledger.sample(n);
    if (!before || before.life !== sample.life) return false;
    const by = lostBy.get(n);
    // What is fresh goes ahead of what waits, and that may be lost later.
    if (by !== undefined) return true;
    if (isFull(before, stored)) return false;
  }
  return false;
}

function isFull(sample: Sample, stored: ReadonlyMap<number, Points>): boolean {
  return [...sample.dated, ...sample.arrivals].some((ts) => {
    const values = stored.get(ts)?.values ?? {};
    return Object.keys(sample.values).every((key) => Object.hasOwn(values, key));
  });
}

function context(ledger: Ledger, sample: Sample, lostBy: ReadonlyMap<number, LossCause>): string {
  const before: string[] = [];
  for (let n = sample.n - 1; n >= Math.max(1, sample.n - 6); n -= 1) {
    const life = ledger.sample(n)?.life.number;
    before.push(`${n}${life === sample.life.number ? '' : ` (life ${life})`}: ${lostBy.get(n) ?? 'stored'}`);
  }
  return `life ${sample.life.number}; before it ${before.join('; ')}`;
}

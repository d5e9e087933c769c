/**
 * Compares the history of one gateway on the server with its samples: the timestamps, and the values of a
 * reader who carries the last value forward.
 */

import { UNDATED_AGE_MS_MAX } from '../../../../src/core/delivery/undated.ts';
import { SECOND, type WeekPlan } from '../plan/week-plan.ts';
import { EPOCH_MS, type HostTime } from '../world/host-time.ts';
import type { Points } from '../world/week-server.ts';
import type { LossCause } from './accounting.ts';
import { Bounds } from './bounds.ts';
import { type AgentRecord, formatTime, type Ledger, type Sample } from './ledger.ts';

/** The maximum error of a timestamp without the drift of the oscillator, ms. */
const TIMESTAMP_ERROR_MS = 1_000;
/** The longest delay of a datagram, with a margin, ms. */
const DELAY_MS = 4 * SECOND + 100;
export interface History {
  readonly storedOnce: number;
  /**
   * Stored without a timestamp, with a lost response, and again with one; or with the timestamps of two processes
   * (`timesDatedAgain`).
   */
  readonly storedTwice: number;
  /** How often a reading was stored again with the same timestamp. */
  readonly repeated: number;
}

export function checkTimestamps(ledger: Ledger, host: HostTime, plan: WeekPlan): History {
  const bounds = new Bounds(ledger, plan);
  let storedOnce = 0;
  let storedTwice = 0;
  let repeated = 0;
  for (const sample of ledger.samples) {
    const { timestamps, arrivals, executions } = sample;
    if (executions === 0) continue;
    repeated += executions - 1;
    if (timestamps.size + arrivals.length === 1) storedOnce += 1;
    else checkTwice(ledger, sample, plan.hasRuntimeDirectory ? 0 : timesDatedAgain(ledger, sample, bounds));
    if (timestamps.size + arrivals.length === 2) storedTwice += 1;
    for (const ts of timestamps) checkTimestamp(ledger, host, sample, ts);
    for (const ts of arrivals) checkArrival(ledger, sample, ts);
  }
  return { storedOnce, storedTwice, repeated };
}

/**
 * Without a runtime directory, and if the disk failed when the boot offset became known, the next process of the boot dates the
 * undated readings again that are still on the disk.
 */
function timesDatedAgain({ agents }: Ledger, { agent, wasUndated }: Sample, bounds: Bounds): number {
  if (!wasUndated) return 0;
  return agents.filter(
    (each) => each.boot === agent.boot && each.offsetKnownMs !== undefined && bounds.mayBeLost(each),
  ).length;
}

function checkTwice(
  ledger: Ledger,
  { n, timestamps, arrivals, unconfirmedUndated, takenMs }: Sample,
  datedAgain: number,
): void {
  const dates = [...timestamps].map((ts) => formatTime(ts - EPOCH_MS)).join(', ');
  if (timestamps.size > 1 + datedAgain) ledger.reportViolation('one timestamp', `n=${n}: ${dates}`, takenMs);
  if (arrivals.length > 1) {
    ledger.reportViolation('stored once', `n=${n}: ${arrivals.length} times without a timestamp`, takenMs);
  } else if (arrivals.length === 1 && unconfirmedUndated === 0) {
    ledger.reportViolation(
      'stored once',
      `n=${n}: confirmed without a timestamp, and again at ${dates}`,
      takenMs,
    );
  }
}

function checkTimestamp(
  ledger: Ledger,
  host: HostTime,
  { n, takenMs, agent, wasUndated }: Sample,
  ts: number,
): void {
  const offMs = ts - EPOCH_MS - takenMs;
  const mostMs =
    TIMESTAMP_ERROR_MS + host.driftMsMax(agent.boot, takenMs, wasUndated, unobservedMs(ledger, agent));
  if (Math.abs(offMs) <= mostMs) return;
  const when = wasUndated ? 'later' : 'at once';
  ledger.reportViolation(
    'correct timestamp',
    `n=${n}: off by ${Math.round(offMs)} ms of ${Math.round(mostMs)}, timestamp set ${when}`,
    takenMs,
  );
}

/** Between the end of the previous process of the same boot and the start of this one, ms. */
function unobservedMs({ agents }: Ledger, { number, boot, startedMs }: AgentRecord): number {
  const previous = agents.find((each) => each.number === number - 1 && each.boot === boot);
  return previous ? startedMs - (previous.stoppedMs ?? previous.diedMs ?? startedMs) : 0;
}

function checkArrival(ledger: Ledger, { n, takenMs }: Sample, ts: number): void {
  const lateMs = ts - EPOCH_MS - takenMs;
  if (lateMs < 0 || lateMs > UNDATED_AGE_MS_MAX + DELAY_MS) {
    ledger.reportViolation(
      'correct timestamp',
      `n=${n}: timestamp of the server ${Math.round(lateMs)} ms after the sample`,
      takenMs,
    );
  }
}

/**
 * The samples that were sent in parts, because of a limit of the server or a value that it refuses, and whose other parts were
 * reported as lost: a value is missing on the server.
 */
export function findParts(ledger: Ledger, stored: ReadonlyMap<number, Points>): ReadonlySet<number> {
  const reported = new Set(ledger.notes.map(({ n }) => n));
  const parts = new Set<number>();
  const carried: Record<string, unknown> = {};
  for (const [, { n, values }] of [...stored].sort(([one], [other]) => one - other)) {
    Object.assign(carried, values);
    const sample = n === undefined ? undefined : ledger.sample(n);
    // The server never takes the value that is poison; a process can end before it gives that up.
    if (!sample || !(reported.has(sample.n) || sample.poison)) continue;
    const isMissing = (key: string) => !Object.hasOwn(values, key) && carried[key] !== sample.values[key];
    if (Object.keys(sample.values).some(isMissing)) parts.add(sample.n);
  }
  return parts;
}

/** Carries every value forward. Returns the number of wrong readings within the documented window. */
export function checkValues(
  ledger: Ledger,
  stored: ReadonlyMap<number, Points>,
  lostBy: ReadonlyMap<number, LossCause>,
  parts: ReadonlySet<number>,
): number {
  const carried: Record<string, unknown> = {};
  let excused = 0;
  for (const [ts, { n, values }] of [...stored].sort(([one], [other]) => one - other)) {
    Object.assign(carried, values);
    const sample = n === undefined ? undefined : ledger.sample(n);
    if (!sample) continue;
    const wrong = Object.keys(sample.values).find((key) => carried[key] !== sample.values[key]);
    if (wrong === undefined) continue;
    if (parts.has(sample.n) || isInWindow(ledger, sample, stored, lostBy)) excused += 1;
    else {
      ledger.reportViolation(
        'history reconstructs',
        `n=${n} at ${formatTime(ts - EPOCH_MS)}: ${wrong}=${carried[wrong]}, sampled ${sample.values[wrong]}; ${context(ledger, sample, lostBy)}`,
        sample.takenMs,
      );
    }
  }
  return excused;
}

/** Whether an earlier sample of the same process is lost, with no snapshot in between. */
function isInWindow(
  ledger: Ledger,
  sample: Sample,
  stored: ReadonlyMap<number, Points>,
  lostBy: ReadonlyMap<number, LossCause>,
): boolean {
  for (let n = sample.n - 1; n >= 1; n -= 1) {
    const before = ledger.sample(n);
    if (!before || before.agent !== sample.agent) return false;
    const by = lostBy.get(n);
    // Fresh readings overtake the backlog, which may be lost later.
    if (by !== undefined) return true;
    if (isSnapshot(before, stored)) return false;
  }
  return false;
}

function isSnapshot(sample: Sample, stored: ReadonlyMap<number, Points>): boolean {
  return [...sample.timestamps, ...sample.arrivals].some((ts) => {
    const values = stored.get(ts)?.values ?? {};
    return Object.keys(sample.values).every((key) => Object.hasOwn(values, key));
  });
}

function context(ledger: Ledger, sample: Sample, lostBy: ReadonlyMap<number, LossCause>): string {
  const before: string[] = [];
  for (let n = sample.n - 1; n >= Math.max(1, sample.n - 6); n -= 1) {
    const agent = ledger.sample(n)?.agent.number;
    before.push(
      `${n}${agent === sample.agent.number ? '' : ` (agent ${agent})`}: ${lostBy.get(n) ?? 'stored'}`,
    );
  }
  return `agent ${sample.agent.number}; before it ${before.join('; ')}`;
}

/**
 * The ledger: what was read against what the server has, reading by reading and value by value.
 *
 * The server may have a reading twice, and more of it than was new at its instant (the first after a gap is full), but never a
 * value that did not hold at that instant, an instant at which nothing was read, or one reading at two instants. That the date is
 * right at all is asked of the readings themselves: each says how long its host had been up.
 */

import { readFileSync } from 'node:fs';
import { GAP_KEYS } from '../../src/core/model/loss-report.ts';
import type { Reading, Values } from '../../src/core/model/reading.ts';
import { carryForward } from '../../src/outbox/store/carry-forward.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

/** uptimeS is rounded to a second, and read a moment after the reading was dated. */
const UPTIME_OFF_S_MAX = 1.5;
const TOLD = new Set<string>(Object.values(GAP_KEYS));

export interface Missing {
  readonly tsMs: number;
  readonly values: Values;
}

export interface Settled {
  /** Not at the server, or not all of it, oldest first. */
  readonly missing: readonly Missing[];
  /** What the agent told as lost. */
  readonly told: number;
  /** Readings the server stored more than once, with the same values. */
  readonly repeated: number;
  readonly problems: readonly string[];
}

/** The readings noted in a file (reading-hook.ts), without the gap records among them. */
export function notedIn(file: string): Reading[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Reading).filter(({ gap }) => gap !== true);
}

/** `processes`: what each process of the agent read, in its order. */
export function settle(
  sandbox: Sandbox,
  device: string,
  processes: readonly (readonly Reading[])[],
): Settled {
  const held = valuesByInstant(processes);
  const stored = new Map<number, Set<string>>();
  const problems = new Set<string>();
  const bootedS = bootedAtS();
  let told = 0;
  for (const { ts, key, value } of sandbox.points({ device })) {
    if (key === GAP_KEYS.readings) told += Number(value);
    if (TOLD.has(key)) continue;
    const values = held.get(ts);
    if (!values) problems.add(`stored at ${ts}, when nothing was read: ${key}`);
    else if (values[key] !== value) problems.add(`${key} at ${ts} is ${value} and was ${values[key]}`);
    if (key === 'uptimeS' && Math.abs(ts / 1000 - Number(value) - bootedS) > UPTIME_OFF_S_MAX)
      problems.add(`stored at ${ts}, with an uptime of ${value} s`);
    stored.set(ts, (stored.get(ts) ?? new Set()).add(key));
  }
  const again = sandbox.duplicates().points.filter((point) => point.device === device);
  for (const { key, ts, equal } of again) if (!equal) problems.add(`${key} at ${ts} was overwritten`);
  const missing = processes.flat().flatMap(({ tsMs = 0, values }) => {
    const keys = stored.get(tsMs);
    return Object.keys(values).every((key) => keys?.has(key)) ? [] : [{ tsMs, values }];
  });
  const repeated = new Set(again.map(({ ts }) => ts)).size;
  return { missing, told, repeated, problems: [...problems] };
}

/** All values at each instant at which something was read. */
function valuesByInstant(processes: readonly (readonly Reading[])[]): Map<number, Values> {
  const held = new Map<number, Values>();
  for (const readings of processes) {
    let values: Values = {};
    for (const reading of readings) {
      values = carryForward(values, reading);
      if (reading.tsMs !== undefined) held.set(reading.tsMs, values);
    }
  }
  return held;
}

/** When this host was booted, Unix s, as this process and not the agent sees it. */
function bootedAtS(): number {
  return Date.now() / 1000 - Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
}

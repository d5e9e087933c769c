/**
 * Compares the readings that the agent took with those on the server, value by value.
 *
 * The server may have a reading twice, and values that were not new at that instant (the first reading after
 * a gap is a snapshot), but never a value that did not hold at its timestamp, a timestamp without a reading,
 * or one reading at two timestamps. `uptimeS` in the readings themselves shows whether a timestamp is right.
 */

import { readFileSync } from 'node:fs';
import { GAP_KEYS, GAP_RECORD_KEYS } from '../../src/core/model/loss-report.ts';
import type { Reading, Values } from '../../src/core/model/reading.ts';
import { carryForward } from '../../src/outbox/store/carry-forward.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

/** uptimeS is rounded to a second, and read shortly after the timestamp was taken. */
const UPTIME_OFF_S_MAX = 1.5;

export interface Missing {
  readonly tsMs: number;
  readonly values: Values;
}

export interface Comparison {
  /** Readings of which the server lacks at least one value, oldest first. */
  readonly missing: readonly Missing[];
  /** Readings that the agent has reported as lost. */
  readonly reported: number;
  /** Readings the server stored more than once, with the same values. */
  readonly repeated: number;
  readonly problems: readonly string[];
}

/** The readings in a file of reading-hook.ts, without gap records. */
export function readingsIn(file: string): Reading[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Reading).filter(({ gap }) => gap !== true);
}

/** `processes`: the readings of each process of the agent, in order. */
export function compare(
  sandbox: Sandbox,
  device: string,
  processes: readonly (readonly Reading[])[],
): Comparison {
  const valuesAt = valuesByInstant(processes);
  const stored = new Map<number, Set<string>>();
  const problems = new Set<string>();
  const bootedS = bootedAtS();
  let reported = 0;
  for (const { ts, key, value } of sandbox.points({ device })) {
    if (key === GAP_KEYS.readings) reported += Number(value);
    if (GAP_RECORD_KEYS.has(key)) continue;
    const values = valuesAt.get(ts);
    if (!values) problems.add(`stored at ${ts}, without a reading at that time: ${key}`);
    else if (values[key] !== value) problems.add(`${key} at ${ts} is ${value} and was ${values[key]}`);
    if (key === 'uptimeS' && Math.abs(ts / 1000 - Number(value) - bootedS) > UPTIME_OFF_S_MAX)
      problems.add(`stored at ${ts}, with an uptime of ${value} s`);
    stored.set(ts, (stored.get(ts) ?? new Set()).add(key));
  }
  const duplicates = sandbox.duplicates().points.filter((point) => point.device === device);
  for (const { key, ts, equal } of duplicates) if (!equal) problems.add(`${key} at ${ts} was overwritten`);
  const missing = processes.flat().flatMap(({ tsMs = 0, values }) => {
    const keys = stored.get(tsMs);
    return Object.keys(values).every((key) => keys?.has(key)) ? [] : [{ tsMs, values }];
  });
  const repeated = new Set(duplicates.map(({ ts }) => ts)).size;
  return { missing, reported, repeated, problems: [...problems] };
}

/** All values that held at the timestamp of each reading. */
function valuesByInstant(processes: readonly (readonly Reading[])[]): Map<number, Values> {
  const valuesAt = new Map<number, Values>();
  for (const readings of processes) {
    let values: Values = {};
    for (const reading of readings) {
      values = carryForward(values, reading);
      if (reading.tsMs !== undefined) valuesAt.set(reading.tsMs, values);
    }
  }
  return valuesAt;
}

/** The boot time of this host, Unix s, determined by this process, not by the agent. */
function bootedAtS(): number {
  return Date.now() / 1000 - Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
}

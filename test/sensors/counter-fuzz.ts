/**
 * Damages every number and line of every file that a sensor reads on a captured host as counters and lines of
 * real hosts are damaged (counter-damages.ts), one at a time, for one round between healthy ones.
 *
 * - A value that does not come from the damaged number or line is there, and is that of the undamaged host.
 * - One that does is that of the undamaged host, or absent, in this round and the ones that follow: no rate, no
 *   share and no count is invented. Only a value that is no counter can follow the number, and only while it is
 *   damaged.
 * - The log has one line at most for each sensor.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Values } from '../../src/core/model/reading.ts';
import { collectors } from '../../src/sensors/catalogue.ts';
import { keyPart } from '../../src/sensors/devices/keys.ts';
import type { Collector } from '../../src/sensors/runtime/collector.ts';
import { entryFor } from '../../src/sensors/runtime/collector-runner.ts';
import { DEFAULT_TUNING } from '../../src/sensors/runtime/tuning.ts';
import { DamagedHostFiles } from '../doubles/damaged-host-files.ts';
import { type CounterDamage, counterDamagesOf, drawDamages } from './helpers/counter-damages.ts';
import { HOSTS, readersOf, runMovingHost } from './helpers/moving-host.ts';

const SCHEDULE = 'hhdhh';
const DAMAGED = SCHEDULE.indexOf('d');
/** Each collector reads in each round. */
const TUNING = { ...DEFAULT_TUNING, everyMs: new Map(collectors.map(({ name }) => [name, 0] as const)) };

/** Values that are calculated from the steps of counters, or that never decrease. */
const OF_COUNTERS =
  /^cpu\d*UsePercent$|^net.*[RT]x.*PerS$|^drive.*(WrittenBytes|PerS|BusyPercent|LatencyMs)$|^(oomKillCount|cpuThrottleCount|uptimeS)$|CarrierChanges$/;
const NONE = /^$/;

/**
 * The keys whose values come from a line, by file; `line` is undefined if the whole file is damaged, or has a
 * line before its first. A file without a row is the source of all values that it takes along when it is
 * missing.
 */
const SOURCES: readonly {
  readonly file: RegExp;
  readonly keysOf: (line: string | undefined, column: number | undefined, what: string) => RegExp;
}[] = [
  {
    file: /^proc\/stat$/,
    keysOf: (line = '', _, what) =>
      what === 'all numbers zero'
        ? /^cpu\d*Use/
        : /^cpu\d*(?= )/.test(line)
          ? ofLabel(line, 'UsePercent')
          : NONE,
  },
  {
    file: /^proc\/meminfo$/,
    keysOf: (line = '', _, what) => {
      if (what === 'all numbers zero') return /^(memory|swap)/;
      // Kilobytes that are no number of them make memory look absent; zeros make the file look so.
      if (line.startsWith('MemTotal:')) return what.startsWith('zero') ? /^(memory|swap)/ : /^memory/;
      if (line.startsWith('MemAvailable:')) return /^memory(Used|Available)/;
      if (line.startsWith('SwapTotal:')) return /^swap/;
      return line.startsWith('SwapFree:') ? /^swapUsed/ : NONE;
    },
  },
  {
    file: /^proc\/loadavg$/,
    keysOf: (line, column) => {
      if (line === undefined) return /^(load|thread)/;
      // The fourth number is that of the running threads.
      const key = column === undefined ? undefined : ['load1', 'load5', 'load15', '', 'threadCount'][column];
      return key ? new RegExp(`^${key}$`) : NONE;
    },
  },
  {
    file: /^proc\/uptime$/,
    keysOf: (line, column) => (line === undefined || column === 0 ? /^uptimeS$/ : NONE),
  },
  {
    file: /^proc\/sys\/fs\/file-nr$/,
    keysOf: (line, column = 3) => {
      if (line === undefined || column < 2) return /^fileHandle/;
      return column === 2 ? /^fileHandleUsedPercent$/ : NONE;
    },
  },
  {
    file: /^proc\/pressure\/memory$/,
    keysOf: (line, _, what) => ofPressure('Memory', line, what),
  },
  { file: /^proc\/pressure\/io$/, keysOf: (line, _, what) => ofPressure('Io', line, what) },
  { file: /^proc\/pressure\/cpu$/, keysOf: (line, _, what) => ofPressure('Cpu', line, what) },
  {
    file: /^proc\/vmstat$/,
    keysOf: (line = '', _, what) =>
      line.startsWith('oom_kill ') || what === 'all numbers zero' ? /^oomKillCount$/ : NONE,
  },
  {
    file: /^proc\/net\/dev$/,
    keysOf: (line = '', _, what) =>
      what === 'all numbers zero' ? /^net.*[RT]x.*PerS$/ : ofInterface(line.split(':')[0], '[RT]x.*PerS'),
  },
  {
    file: /^proc\/net\/wireless$/,
    keysOf: (line = '', _, what) =>
      what === 'all numbers zero'
        ? /(SignalDbm|LinkQuality)$/
        : ofInterface(line.split(':')[0], '(Signal|Link).*'),
  },
  {
    file: /^proc\/diskstats$/,
    keysOf: (line = '', _, what) => {
      const name = what === 'all numbers zero' ? '' : (line.trim().split(/\s+/)[2] ?? '-');
      return new RegExp(`^drive${keyPart(name)}.*(WrittenBytes|PerS|BusyPercent|LatencyMs)$`);
    },
  },
  // Which mounts there are follows from all numbers of a device; no counter is in the file.
  {
    file: /^proc\/self\/mountinfo$/,
    keysOf: (_, column, what) => (column !== undefined || what === 'all numbers zero' ? /^disk/ : NONE),
  },
  { file: /^proc\/net\/(fib_trie|route)$/, keysOf: () => /^(ipv4Addresses$|defaultRoute)/ },
  { file: /^proc\/net\/(if_inet6|ipv6_route)$/, keysOf: () => /^(ipv6Addresses$|defaultRoute)/ },
  // One file has all conditions, and another one repeats the first of them.
  { file: /\/get_throttled$/, keysOf: () => /^pi/ },
  { file: /\/ifindex$/, keysOf: () => /^net.*[RT]x.*PerS$/ },
  { file: /\/diskseq$/, keysOf: () => /^drive.*(PerS|BusyPercent|LatencyMs)$/ },
];

function ofLabel(line: string, ending: string): RegExp {
  return new RegExp(`^${line.trim().split(/\s/, 1)[0]}${ending}$`);
}

function ofInterface(name = '', ending: string): RegExp {
  return name.trim() === '' ? NONE : new RegExp(`^net${keyPart(name.trim())}${ending}$`);
}

function ofPressure(resource: string, line = '', what: string): RegExp {
  if (what === 'all numbers zero') return new RegExp(`^pressure${resource}`);
  return line.startsWith('some') || line.startsWith('full')
    ? new RegExp(`^pressure${resource}${line.startsWith('some') ? 'Some' : 'Full'}`)
    : NONE;
}

/** One test for each file that a sensor reads on this host, with at most `damagesMax` damages each. */
export function testDamagedCountersOf(name: string, damagesMax = Number.POSITIVE_INFINITY): void {
  const host = new DamagedHostFiles(join(HOSTS, name));
  describe(`on ${name}, a damaged counter invents no value and costs no other`, async () => {
    for (const [path, sensors] of await readersOf(host)) {
      const text = host.files.get(path) ?? '';
      it(path, async () => {
        const run = { schedule: SCHEDULE, sensors, tuning: TUNING };
        const healthy = (await runMovingHost(host, run)).rounds;
        const sources = await keysOfFile(host, path, sensors, healthy);
        for (const damage of drawDamages(counterDamagesOf(text), path, damagesMax)) {
          await assertDamage(host, { path, damage, sensors, healthy, sources: sources(damage) });
        }
      });
    }
  });
}

/** The function that finds out whether a key comes from what is damaged. */
async function keysOfFile(
  host: DamagedHostFiles,
  path: string,
  sensors: readonly Collector[],
  healthy: readonly Values[],
): Promise<(damage: CounterDamage) => (key: string) => boolean> {
  const source = SOURCES.find(({ file }) => file.test(path));
  if (source !== undefined)
    return ({ line, column, what }) => {
      const keys = source.keysOf(line, column, what);
      return (key) => keys.test(key);
    };
  const { rounds } = await runMovingHost(host, {
    schedule: 'd'.repeat(SCHEDULE.length),
    sensors,
    tuning: TUNING,
    broken: { path, createDamage: () => ({ type: 'missing' }) },
  });
  const changed = new Set(
    healthy.flatMap((values, round) =>
      [...Object.keys(values), ...Object.keys(rounds[round] ?? {})].filter(
        (key) => values[key] !== rounds[round]?.[key],
      ),
    ),
  );
  return () => (key) => changed.has(key);
}

interface Case {
  readonly path: string;
  readonly damage: CounterDamage;
  readonly sensors: readonly Collector[];
  readonly healthy: readonly Values[];
  /** Whether a key comes from what is damaged. */
  readonly sources: (key: string) => boolean;
}

async function assertDamage(
  host: DamagedHostFiles,
  { path, damage, sensors, healthy, sources }: Case,
): Promise<void> {
  const { what, apply } = damage;
  const { rounds, lines } = await runMovingHost(host, {
    schedule: SCHEDULE,
    sensors,
    tuning: TUNING,
    broken: { path, createDamage: (text) => ({ type: 'text', text: apply(text) }) },
  });
  rounds.forEach((values, round) => {
    const well = healthy[round] ?? {};
    for (const key of new Set([...Object.keys(well), ...Object.keys(values)])) {
      const [expected, value] = [well[key], values[key]];
      if (value === expected) continue;
      const change = `${path}, ${what}, round ${round}: ${key} is ${value} instead of ${expected}`;
      assert.ok(sources(key), `of another source: ${change}`);
      if (value === undefined) continue;
      const isOfCatalogue = sensors.some(({ catalogue }) => entryFor(catalogue, key) !== undefined);
      const canFollow = !OF_COUNTERS.test(key) && isNumberDamaged(damage) && round === DAMAGED;
      assert.ok(isOfCatalogue && canFollow, `invented: ${change}`);
    }
  });
  for (const { name } of sensors) {
    const told = lines.filter((line) => line === `warn ${name}`).length;
    assert.ok(told <= 1 || damage.line === undefined, `${path}, ${what}: the log is ${lines.join(', ')}`);
  }
}

function isNumberDamaged({ line, column }: CounterDamage): boolean {
  return column !== undefined || line === undefined;
}

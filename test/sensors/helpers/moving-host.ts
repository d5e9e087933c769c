/**
 * Samples a captured host whose counters move as those of a real one: each by the same amount in each round,
 * so that a rate or a share is the same in every round. One file can be damaged in some of them.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Values } from '../../../src/core/model/reading.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import { collectors } from '../../../src/sensors/catalogue.ts';
import type { HostFiles } from '../../../src/sensors/files/host-files.ts';
import type { Collector } from '../../../src/sensors/runtime/collector.ts';
import { DEFAULT_TUNING, type Tuning } from '../../../src/sensors/runtime/tuning.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import type { Damage, DamagedHostFiles } from '../../doubles/damaged-host-files.ts';
import { RecordingSensorLogger } from './captured-host.ts';

export const HOSTS = join(process.cwd(), 'test/fixtures/hosts');
export const HOST_NAMES: readonly string[] = readdirSync(HOSTS);

const STEP_MS = 10_000;
const RECOVERY_MS = 600_000;

export interface MovingRun {
  /** One letter a round, 10 s apart. h: healthy, d: damaged. */
  readonly schedule: string;
  /** How many healthy rounds follow, ten minutes apart, and then one 10 s later. Default: none. */
  readonly recoveries?: number;
  readonly sensors: readonly Collector[];
  readonly tuning?: Tuning;
  readonly broken?: {
    readonly path: string;
    readonly createDamage: (text: string) => Damage | undefined;
  };
}

export interface MovingResult {
  readonly rounds: readonly Values[];
  readonly lines: readonly string[];
}

export async function runMovingHost(host: DamagedHostFiles, run: MovingRun): Promise<MovingResult> {
  const { schedule, recoveries = 0, sensors, tuning = DEFAULT_TUNING, broken } = run;
  let round = 0;
  let nowMs = 0;
  const hostFiles = host.hostFiles(
    (path, text) => advanceCounters(path, text, nowMs / STEP_MS),
    broken && {
      path: broken.path,
      damage: (text) => (schedule[round] === 'd' ? broken.createDamage(text) : undefined),
    },
  );
  const logger = new RecordingSensorLogger();
  const sampler = openSampler(
    sensors,
    hostFiles,
    clockAt(() => nowMs),
    logger,
    tuning,
  );
  const rounds: Values[] = [];
  const sample = async () => {
    rounds.push(await sampler.sample());
    round += 1;
  };
  while (round < schedule.length) {
    await sample();
    nowMs += STEP_MS;
  }
  for (let recovery = 0; recovery < recoveries; recovery += 1) {
    nowMs += RECOVERY_MS;
    await sample();
  }
  if (recoveries > 0) {
    nowMs += STEP_MS;
    await sample();
  }
  return { rounds, lines: logger.lines };
}

/** The collectors that read each file, or its directory, of the undamaged host. */
export async function readersOf(host: DamagedHostFiles): Promise<ReadonlyMap<string, readonly Collector[]>> {
  const readers = new Map<string, Collector[]>();
  for (const collector of collectors) {
    const queriedPaths = new Set<string>();
    const hostFiles = recordQueries(
      host.hostFiles((_, text) => text),
      host,
      queriedPaths,
    );
    const sampler = openSampler(
      [collector],
      hostFiles,
      clockAt(() => 0),
      new RecordingSensorLogger(),
    );
    await sampler.sample();
    for (const path of host.files.keys()) {
      if (queriedPaths.has(path) || queriedPaths.has(path.slice(0, path.lastIndexOf('/')))) {
        readers.set(path, [...(readers.get(path) ?? []), collector]);
      }
    }
  }
  return readers;
}

function recordQueries(hostFiles: HostFiles, host: DamagedHostFiles, queriedPaths: Set<string>): HostFiles {
  const recordQuery = (path: string): void => {
    const place = host.resolve(path);
    if (place !== undefined) queriedPaths.add(place.path);
  };
  return {
    ...hostFiles,
    read: (path, bytesMax) => {
      recordQuery(path);
      return hostFiles.read(path, bytesMax);
    },
    readBlocking: (path) => {
      recordQuery(path);
      return hostFiles.readBlocking(path);
    },
    list: (path) => {
      recordQuery(path);
      return hostFiles.list(path);
    },
    has: (path) => {
      recordQuery(path);
      return hostFiles.has(path);
    },
  };
}

/** Columns of counters by file; a counter moves by the same amount in each round. */
const COUNTERS: readonly {
  readonly file: RegExp;
  readonly isCounter: (label: string, column: number) => boolean;
}[] = [
  { file: /^proc\/stat$/, isCounter: (label, column) => /^(ctxt|processes)$/.test(label) && column > 0 },
  { file: /^proc\/net\/dev$/, isCounter: (_, column) => column > 0 },
  { file: /^proc\/diskstats$/, isCounter: (_, column) => column > 2 && column !== 11 },
  { file: /^proc\/vmstat$/, isCounter: (label, column) => /^(pg|psw|oom)/.test(label) && column > 0 },
  { file: /^proc\/uptime$/, isCounter: () => true },
  { file: /^sys\/.*\/statistics\/[a-z_]+$/, isCounter: () => true },
  { file: /^sys\/.*\/block\/.*\/stat$/, isCounter: (_, column) => column !== 8 },
  { file: /energy_uj$/, isCounter: () => true },
];

/**
 * user nice system idle iowait irq softirq steal: ticks of one CPU in a round, which add up to its 10 s. Each
 * busy time, and waiting for a disk, is more than the share by which the utilisation may be wrong.
 */
const CPU_TICKS = [100, 30, 60, 700, 50, 30, 30, 0];

/** The text of a file after `steps`: only the counters move, each column by another amount. */
function advanceCounters(path: string, text: string, steps: number): string {
  const counter = COUNTERS.find(({ file }) => file.test(path));
  if (counter === undefined || steps === 0) return text;
  const cpus = path === 'proc/stat' ? text.split('\ncpu').length - 1 : 0;
  return text
    .split('\n')
    .map((line) => {
      const label = line.trim().split(/[\s:]/, 1)[0] ?? '';
      const isCpu = cpus > 0 && /^cpu\d*$/.test(label);
      let column = -1;
      return line.replaceAll(/[^\s:]+/g, (word) => {
        column += 1;
        if (!/^\d+(\.\d+)?$/.test(word)) return word;
        if (isCpu)
          return String(Number(word) + steps * (CPU_TICKS[column - 1] ?? 0) * (label === 'cpu' ? cpus : 1));
        if (!counter.isCounter(label, column)) return word;
        return String(Math.round(100 * (Number(word) + steps * (100 + 10 * column))) / 100);
      });
    })
    .join('\n');
}

function clockAt(nowMs: () => number): Clock {
  return {
    wallMs: () => Date.UTC(2026, 0, 1) + nowMs(),
    monotonicMs: nowMs,
    bootId: 'this boot',
    bootMs: nowMs,
    sleep: () => Promise.resolve(),
  };
}

export function seedOf(path: string): number {
  return [...path].reduce((seed, character) => (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0, 7);
}

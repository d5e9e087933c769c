/**
 * Damages every file that a sensor reads on a captured host in every way of damages.ts, one at a time: for
 * two rounds between healthy ones, and from the first round on.
 *
 * Nothing may throw, and no value may be invented. Each value is that of the undamaged host, or is absent and
 * of a sensor that reads the file, or follows from the file by one of these rules:
 *
 * - the file is one number, it was replaced by another number, and the value moved in proportion; - the file
 * is one word, and the value is the new word; - the file holds a name, and a value of the same sensor now has
 * another key; - CONSEQUENCES below lists it, with the reason.
 *
 * Ten minutes after the file is whole again all values are as before, and each failure was logged once, with
 * its end.
 */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Value, Values } from '../../src/core/model/reading.ts';
import type { Clock } from '../../src/core/ports/clock.ts';
import { collectors } from '../../src/sensors/catalogue.ts';
import type { HostFiles } from '../../src/sensors/files/host-files.ts';
import type { Collector } from '../../src/sensors/runtime/collector.ts';
import { entryFor } from '../../src/sensors/runtime/collector-runner.ts';
import { openSampler } from '../../src/sensors/sampler.ts';
import { type Damage, DamagedHostFiles } from '../doubles/damaged-host-files.ts';
import { RecordingSensorLogger } from './helpers/captured-host.ts';
import { DAMAGES } from './helpers/damages.ts';

const HOSTS = join(process.cwd(), 'test/fixtures/hosts');
const STEP_MS = 10_000;
const RECOVERY_MS = 600_000;
/** h: healthy, d: damaged. Two healthy rounds follow after RECOVERY_MS; the last one must equal the undamaged host. */
const SCHEDULES = ['hhddhh', 'ddh'];

/**
 * Effects of a damaged file beyond the rules above. The test fails if no host needs a row.
 */
const CONSEQUENCES: readonly Consequence[] = [
  {
    file: /thermal_zone\d+\/type$/,
    keys: /^thermal/,
    why: 'the type of a zone identifies the zone of the CPU',
  },
  {
    file: /humidity1_input$/,
    keys: /^hwmon/,
    why: 'a chip that measures humidity has other keys than other chips',
  },
  {
    file: /\/in_[a-z0-9]+_(raw|offset|scale)$/,
    keys: /^iio/,
    why: '(raw + offset) × scale: the value does not move in proportion to one number',
  },
  {
    file: /\/w1_slave$/,
    keys: /^oneWire/,
    why: 'the temperature is one of several numbers in the file',
  },
  {
    file: /\/scope$/,
    keys: /^supply/,
    why: 'a supply without a scope belongs to the host',
  },
];

interface Consequence {
  readonly file: RegExp;
  readonly keys: RegExp;
  readonly why: string;
}

/** Columns of counters by file; a counter moves by the same amount in each round. */
const COUNTERS: readonly {
  readonly file: RegExp;
  readonly isCounter: (label: string, column: number) => boolean;
}[] = [
  {
    file: /^proc\/stat$/,
    isCounter: (label, column) => /^(cpu\d*|ctxt|processes)$/.test(label) && column > 0,
  },
  { file: /^proc\/net\/dev$/, isCounter: (_, column) => column > 0 },
  { file: /^proc\/diskstats$/, isCounter: (_, column) => column > 2 && column !== 11 },
  { file: /^proc\/vmstat$/, isCounter: (label, column) => /^(pg|psw|oom)/.test(label) && column > 0 },
  { file: /^sys\/.*\/statistics\/[a-z_]+$/, isCounter: () => true },
  { file: /^sys\/.*\/block\/.*\/stat$/, isCounter: (_, column) => column !== 8 },
  { file: /energy_uj$/, isCounter: () => true },
];

const used = new Set<Consequence>();

export const HOST_NAMES: readonly string[] = readdirSync(HOSTS);

/** One test for each file that a sensor reads on this host. */
export function testBrokenFilesOf(name: string): void {
  const host = new DamagedHostFiles(join(HOSTS, name));
  describe(`on ${name}, a broken file affects only its sensors and invents no value`, async () => {
    const readers = await readersOf(host);
    const healthy = new Map<string, readonly Values[]>();
    for (const schedule of SCHEDULES) {
      healthy.set(schedule, (await run(host, schedule, collectors)).rounds);
    }
    for (const [path, fileReaders] of readers) {
      it(path, async () => {
        for (const schedule of SCHEDULES) {
          for (const kind of Object.keys(DAMAGES)) {
            await assertConsequences(host, {
              path,
              kind,
              fileReaders,
              schedule,
              healthy: healthy.get(schedule) ?? [],
            });
          }
        }
      });
    }
  });
}

/** For a run over all hosts. */
export function testConsequencesAreNeeded(): void {
  after(() => {
    const idle = CONSEQUENCES.filter((each) => !used.has(each)).map(({ file, why }) => `${file}: ${why}`);
    assert.deepEqual(idle, [], 'a consequence that no host has');
  });
}

interface Case {
  readonly path: string;
  readonly kind: string;
  /** The collectors that read this file on the undamaged host. */
  readonly fileReaders: readonly Collector[];
  readonly schedule: string;
  readonly healthy: readonly Values[];
}

async function assertConsequences(
  host: DamagedHostFiles,
  { path, kind, fileReaders, schedule, healthy }: Case,
): Promise<void> {
  const original = host.files.get(path) ?? '';
  const damage = DAMAGES[kind]?.(original, seedOf(path));
  if (damage === undefined) return;
  // Collectors that do not read the file cannot differ; two kinds of damage check it nevertheless.
  const sensors = ['garbage', 'missing'].includes(kind) ? collectors : fileReaders;
  const createDamage = (text: string) => DAMAGES[kind]?.(text, seedOf(path));
  const { rounds, lines } = await run(host, schedule, sensors, { path, createDamage });
  const describeChange = (round: number, key: string) =>
    `${path} ${kind}, rounds ${schedule}, round ${round}: ${key} is ${rounds[round]?.[key]} instead of ${healthy[round]?.[key]}`;
  rounds.forEach((values, round) => {
    const healthyValues = healthy[round] ?? {};
    const keys = new Set([...Object.keys(healthyValues), ...Object.keys(values)]);
    for (const key of keys) {
      const sensor = sensors.find(({ catalogue }) => entryFor(catalogue, key) !== undefined);
      if (sensor === undefined || values[key] === healthyValues[key]) continue;
      assert.ok(round < rounds.length - 1, `not as before ten minutes later: ${describeChange(round, key)}`);
      assert.ok(fileReaders.includes(sensor), `of another sensor: ${describeChange(round, key)}`);
      const siblings = ofSensor(healthyValues, sensor);
      const change = {
        path,
        original,
        damage,
        key,
        previous: healthyValues[key],
        current: values[key],
        siblings,
      };
      assert.ok(isLegitimate(change), describeChange(round, key));
    }
  });
  for (const { name } of sensors) {
    const levels = lines.filter((line) => line.endsWith(` ${name}`)).map((line) => line.split(' ', 1)[0]);
    assert.ok(
      levels.length % 2 === 0 &&
        levels.every((level, index) => level === (index % 2 === 0 ? 'warn' : 'info')),
      `${path} ${kind}: the log is ${lines.join(', ')}`,
    );
  }
}

interface Change {
  readonly path: string;
  readonly original: string;
  readonly damage: Damage;
  readonly key: string;
  readonly previous: Value | undefined;
  readonly current: Value | undefined;
  /** The values of the sensor on the undamaged host. */
  readonly siblings: Values;
}

function isLegitimate({ path, original, damage, key, previous, current, siblings }: Change): boolean {
  if (current === undefined) return true;
  if (!/^[a-z][A-Za-z0-9]{0,63}$/.test(key)) return false;
  const text = damage.type === 'text' ? damage.text.trim() : '';
  if (isNumber(original.trim())) {
    const factor = Number(text) / Number(original.trim());
    if (isNumber(text) && typeof previous === 'number' && typeof current === 'number') {
      if (Math.abs(current - previous * factor) <= 0.5 + Math.abs(factor)) return true;
    }
  } else if (isWord(original.trim())) {
    if (current === text && isWord(text)) return true;
    if (previous === undefined && Object.values(siblings).includes(current)) return true;
  }
  const expected = CONSEQUENCES.find((each) => each.file.test(path) && each.keys.test(key));
  if (expected !== undefined) used.add(expected);
  return expected !== undefined;
}

function isNumber(text: string): boolean {
  return /^-?\d{1,15}$/.test(text);
}

/** One line of printable characters that is not a number. */
function isWord(text: string): boolean {
  return /^[ -~]{1,64}$/.test(text) && !isNumber(text);
}

function ofSensor(values: Values, { catalogue }: Collector): Values {
  return Object.fromEntries(Object.entries(values).filter(([key]) => entryFor(catalogue, key) !== undefined));
}

async function run(
  host: DamagedHostFiles,
  schedule: string,
  sensors: readonly Collector[],
  broken?: { path: string; createDamage: (text: string) => Damage | undefined },
): Promise<{ rounds: readonly Values[]; lines: readonly string[] }> {
  let round = 0;
  let nowMs = 0;
  const damageNow = (text: string) => (schedule[round] === 'd' ? broken?.createDamage(text) : undefined);
  const hostFiles = host.hostFiles(
    (path, text) => advanceCounters(path, text, nowMs / STEP_MS),
    broken && { path: broken.path, damage: damageNow },
  );
  const logger = new RecordingSensorLogger();
  const sampler = openSampler(
    sensors,
    hostFiles,
    clockAt(() => nowMs),
    logger,
  );
  const rounds: Values[] = [];
  for (round = 0; round < schedule.length + 2; round += 1) {
    if (round === schedule.length) nowMs += RECOVERY_MS;
    rounds.push(await sampler.sample());
    nowMs += STEP_MS;
  }
  return { rounds, lines: logger.lines };
}

/** The collectors that read each file, or its directory, of the undamaged host. */
async function readersOf(host: DamagedHostFiles): Promise<ReadonlyMap<string, readonly Collector[]>> {
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

/** The text of a file after `steps`: only the counters of COUNTERS move, each column by another amount. */
function advanceCounters(path: string, text: string, steps: number): string {
  const counter = COUNTERS.find(({ file }) => file.test(path));
  if (counter === undefined || steps === 0) return text;
  return text
    .split('\n')
    .map((line) => {
      const label = line.trim().split(/[\s:]/, 1)[0] ?? '';
      let column = -1;
      return line.replaceAll(/[^\s:]+/g, (word) => {
        column += 1;
        if (!/^\d+$/.test(word) || !counter.isCounter(label, column)) return word;
        return String(Number(word) + steps * (100 + 10 * column));
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

function seedOf(path: string): number {
  return [...path].reduce((seed, character) => (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0, 7);
}

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
 * Two hours after the file is whole again all values are as before, and each failure was logged once, with
 * its end.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Value, Values } from '../../src/core/model/reading.ts';
import { collectors } from '../../src/sensors/catalogue.ts';
import type { Collector } from '../../src/sensors/runtime/collector.ts';
import { entryFor } from '../../src/sensors/runtime/collector-runner.ts';
import { type Damage, DamagedHostFiles } from '../doubles/damaged-host-files.ts';
import { stride } from '../repetitions.ts';
import { DAMAGES } from './helpers/damages.ts';
import { HOSTS, readersOf, runMovingHost, seedOf } from './helpers/moving-host.ts';

/** h: healthy, d: damaged. Healthy rounds follow; the last one must equal the undamaged host. */
const SCHEDULES = ['hhddhh', 'ddh'];
/** In the first one a device works again, in the second one its failure is over. */
const RECOVERIES = 2;

/** In `npm test` an eighth of the damages, a different one for each file; damaged-files.slow.test.ts applies all. */
const STRIDE = stride(8);

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
  {
    file: /^proc\/net\/route$/,
    keys: /^defaultRoute/,
    // A line over the bound of a read is left out.
    appliesTo: (text) => text === '' || text.length >= 1_000_000,
    why: 'an empty table has no IPv4 route, so that the IPv6 route counts',
  },
];

interface Consequence {
  readonly file: RegExp;
  readonly keys: RegExp;
  /** Gets the text of the damaged file; default: any. */
  readonly appliesTo?: (text: string) => boolean;
  readonly why: string;
}

const used = new Set<Consequence>();

/** One test for each file that a sensor reads on this host. */
export function testBrokenFilesOf(name: string): void {
  const host = new DamagedHostFiles(join(HOSTS, name));
  describe(`on ${name}, a broken file affects only its sensors and invents no value`, async () => {
    const readers = await readersOf(host);
    const healthy = new Map<string, readonly Values[]>();
    for (const schedule of SCHEDULES) {
      const run = { schedule, recoveries: RECOVERIES, sensors: collectors };
      healthy.set(schedule, (await runMovingHost(host, run)).rounds);
    }
    for (const [path, fileReaders] of readers) {
      it(path, async () => {
        for (const schedule of SCHEDULES) {
          const first = seedOf(`${path} ${schedule}`) % STRIDE;
          for (const kind of Object.keys(DAMAGES).filter((_, at) => at % STRIDE === first)) {
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
    // Only with all damages.
    if (STRIDE > 1) return;
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
  const { rounds, lines } = await runMovingHost(host, {
    schedule,
    recoveries: RECOVERIES,
    sensors,
    broken: { path, createDamage },
  });
  const describeChange = (round: number, key: string) =>
    `${path} ${kind}, rounds ${schedule}, round ${round}: ${key} is ${rounds[round]?.[key]} instead of ${healthy[round]?.[key]}`;
  rounds.forEach((values, round) => {
    const healthyValues = healthy[round] ?? {};
    const keys = new Set([...Object.keys(healthyValues), ...Object.keys(values)]);
    for (const key of keys) {
      const sensor = sensors.find(({ catalogue }) => entryFor(catalogue, key) !== undefined);
      if (sensor === undefined || values[key] === healthyValues[key]) continue;
      assert.ok(round < rounds.length - 1, `not as before two hours later: ${describeChange(round, key)}`);
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
  const expected = CONSEQUENCES.find(
    ({ file, keys, appliesTo = () => true }) => file.test(path) && keys.test(key) && appliesTo(text),
  );
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

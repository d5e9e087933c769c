/** The selection of keys, and the interval of each collector. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Selection } from '../../../src/core/model/sensor-selection.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import type {
  CatalogueEntry,
  Collect,
  Collector,
  KeyFilter,
} from '../../../src/sensors/runtime/collector.ts';
import { DEFAULT_TUNING } from '../../../src/sensors/runtime/tuning.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { RecordingSensorLogger } from '../helpers/captured-host.ts';

const ALL: Selection = { profile: 'full', on: [], off: [] };

it('a collector without a selected key is not opened', async () => {
  const never: Collector = { ...counter(), open: () => assert.fail('it was opened') };
  assert.deepEqual(await sampler([never], { ...ALL, off: ['counter'] }).sample(), {});
  assert.deepEqual(await sampler([never], { ...ALL, profile: 'minimal' }).sample(), {});
});

it('a collector gets the key filter, and its unselected values are left out', async () => {
  let filter: KeyFilter | undefined;
  const collector = counter((isSelected) => {
    filter = isSelected;
    return () => ({ rounds: 1, doorOpen: true });
  });
  const values = await sampler([collector], { ...ALL, off: ['door*'] }).sample();
  assert.deepEqual(values, { rounds: 1 });
  assert.deepEqual([filter?.('rounds'), filter?.('doorOpen'), filter?.('door*')], [true, false, false]);
});

it('a collector with an interval repeats its last values between rounds', async () => {
  const { clock, readings } = tuningEvery(60_000);
  const rounds: unknown[] = [];
  for (let sampleAt = 0; sampleAt < 7; sampleAt += 1) {
    rounds.push((await readings.sample())['rounds']);
    await clock.advance(20_000);
  }
  assert.deepEqual(rounds, [1, 1, 1, 2, 2, 2, 3]);
});

it('a sample that comes slightly early still starts a round', async () => {
  const { clock, readings } = tuningEvery(60_000);
  await readings.sample();
  await clock.advance(59_900);
  assert.equal((await readings.sample())['rounds'], 2);
});

it('an interval shorter than the sampling interval has no effect', async () => {
  const { clock, readings } = tuningEvery(1000);
  await readings.sample();
  await clock.advance(10_000);
  assert.equal((await readings.sample())['rounds'], 2);
});

it('a configured interval replaces the interval of the collector', async () => {
  const tuning = { ...DEFAULT_TUNING, everyMs: new Map([['counter', 0]]) };
  const collector: Collector = { ...counter(), everyMs: 60_000 };
  const readings = openSampler(
    [collector],
    openHostFiles('/nowhere'),
    new VirtualClock(),
    new RecordingSensorLogger(),
    tuning,
  );
  await readings.sample();
  assert.equal((await readings.sample())['rounds'], 2);
});

it('a failed round removes the last values until the next round', async () => {
  let broken = false;
  const collector: Collector = {
    ...counter(() => () => {
      if (broken) throw new Error('broken');
      return { rounds: 1 };
    }),
    everyMs: 60_000,
  };
  const { clock, readings } = hostFilesFor(collector);
  await readings.sample();
  broken = true;
  await clock.advance(60_000);
  assert.deepEqual(await readings.sample(), {});
  await clock.advance(10_000);
  assert.deepEqual(await readings.sample(), {});
  broken = false;
  await clock.advance(50_000);
  assert.deepEqual(await readings.sample(), { rounds: 1 });
});

it('a rate covers the interval of its collector', async () => {
  let total = 0;
  const rate: Collector = {
    ...counter(),
    everyMs: 60_000,
    open: (_, clock) => {
      let before = { total, atMs: clock.monotonicMs() };
      return () => {
        const now = { total, atMs: clock.monotonicMs() };
        const rounds =
          now.atMs > before.atMs ? ((now.total - before.total) * 1000) / (now.atMs - before.atMs) : undefined;
        before = now;
        return { rounds };
      };
    },
  };
  const { clock, readings } = hostFilesFor(rate);
  const seen: unknown[] = [];
  for (let sampleAt = 0; sampleAt <= 12; sampleAt += 1) {
    seen.push((await readings.sample())['rounds']);
    total += 50;
    await clock.advance(10_000);
  }
  assert.deepEqual(seen, [...Array.from({ length: 6 }), ...Array.from({ length: 7 }, () => 5)]);
});

function sampler(collectors: readonly Collector[], selection: Selection) {
  const tuning = { ...DEFAULT_TUNING, selection };
  return openSampler(
    collectors,
    openHostFiles('/nowhere'),
    new VirtualClock(),
    new RecordingSensorLogger(),
    tuning,
  );
}

it('an unselected key is left out and the others are transformed', async () => {
  const tuning = {
    ...DEFAULT_TUNING,
    selection: { ...ALL, off: ['doorOpen'] },
    scale: new Map([['rounds', 0.5]]),
    rename: new Map([['rounds', 'halves']]),
  };
  const readings = openSampler(
    [counter()],
    openHostFiles('/nowhere'),
    new VirtualClock(),
    new RecordingSensorLogger(),
    tuning,
  );
  assert.deepEqual(await readings.sample(), { halves: 0.5 });
});

function tuningEvery(everyMs: number) {
  return hostFilesFor({ ...counter(), everyMs });
}

function hostFilesFor(collector: Collector) {
  const clock = new VirtualClock();
  return {
    clock,
    readings: openSampler([collector], openHostFiles('/nowhere'), clock, new RecordingSensorLogger()),
  };
}

/** Counts its rounds by default. */
function counter(open: (isSelected: KeyFilter) => Collect = createCounter): Collector {
  const entryFields = { profile: 'default', meaning: 'a test', source: 'this test' } as const;
  const rounds: CatalogueEntry = {
    key: 'rounds',
    type: 'number',
    unit: '',
    min: 0,
    max: 1e6,
    decimals: 3,
    ...entryFields,
  };
  const door: CatalogueEntry = { key: 'doorOpen', type: 'flag', ...entryFields };
  return {
    name: 'counter',
    catalogue: [rounds, door],
    open: (_hostFiles, _clock, isSelected) => open(isSelected),
  };
}

function createCounter(): Collect {
  let rounds = 0;
  return () => {
    rounds += 1;
    return { rounds };
  };
}

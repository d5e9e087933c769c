/**
 * A damaged file, a hung disk or a faulty collector loses its own values, is logged once, and has no other
 * effect.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { load } from '../../../src/sensors/cpu/load.ts';
import {
  type FileSystemUsage,
  type HostFiles,
  openHostFiles,
} from '../../../src/sensors/files/host-files.ts';
import type { Collector, Measurements } from '../../../src/sensors/runtime/collector.ts';
import { DEADLINE_MS, openSampler } from '../../../src/sensors/sampler.ts';
import { filesystem } from '../../../src/sensors/storage/filesystem.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { someOf } from '../../repetitions.ts';
import { CapturedHost, RecordingSensorLogger } from '../helpers/captured-host.ts';

/** Files, the sensor that reads each, and the keys of its values. */
const FILES = [
  { path: 'proc/stat', sensor: 'cpu', keys: /^cpu\d*Use/ },
  { path: 'proc/loadavg', sensor: 'load', keys: /^(load|thread)/ },
  { path: 'proc/meminfo', sensor: 'memory', keys: /^(memory|swap)/ },
  { path: 'proc/net/dev', sensor: 'network', keys: /^net(?!.*(Dbm|Quality)$)/ },
  { path: 'proc/uptime', sensor: 'uptime', keys: /^uptime/ },
  { path: 'sys/class/thermal/thermal_zone0/temp', sensor: 'temperature', keys: /^cpuTemperature/ },
] as const;

const DAMAGE = {
  emptied: '',
  'cut short': ' ',
  'filled with garbage': '\u0000\u00ff garbage 0x7f: -1 kB\n%%%\n',
  'N/A': 'N/A\n',
  'a line of zeros and NULs': '0\0\0\n',
  'a huge number': `${'9'.repeat(400)}\n`,
} as const;

describe('a damaged file affects only its own sensor', () => {
  for (const { path, sensor, keys } of FILES) {
    for (const [damage, text] of someOf(Object.entries(DAMAGE), 3)) {
      it(`only ${sensor} is lost if ${path} is ${damage}`, (t) =>
        assertLosesOnly(new CapturedHost('raspberry-pi-4', t), sensor, keys, (host) =>
          host.write(path, text),
        ));
    }
    it(`only ${sensor} is lost if ${path} is removed`, (t) =>
      assertLosesOnly(new CapturedHost('raspberry-pi-4', t), sensor, keys, (host) => host.remove(path)));
  }
});

async function assertLosesOnly(
  host: CapturedHost,
  sensor: string,
  keys: RegExp,
  damage: (host: CapturedHost) => void,
) {
  const whole = await twoSamples(host);
  const expected = sortedKeys(whole).filter((key) => !keys.test(key));
  assert.ok(expected.length < Object.keys(whole).length);
  damage(host);
  step(host);
  assert.deepEqual(sortedKeys(await host.sampleAfter(1000)), expected);
  step(host);
  assert.deepEqual(sortedKeys(await host.sampleAfter(1000)), expected);
  assert.deepEqual(host.logger.lines, [`warn ${sensor}`]);
}

function sortedKeys(values: object): readonly string[] {
  return Object.keys(values).toSorted();
}

/** Advances the CPU counters, so that CPU utilisation is present unless its file is damaged. */
function step(host: CapturedHost): void {
  try {
    host.edit('proc/stat', /^cpu {2}(\d+)/, (_, user = '') => `cpu  ${Number(user) + 10}`);
  } catch {
    // This is the damaged file.
  }
}

async function twoSamples(host: CapturedHost) {
  await host.sampleAfter(0);
  step(host);
  return host.sampleAfter(1000);
}

it('a recovery is logged once, and a new failure is logged again', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  const good = host.read('proc/loadavg');
  for (const text of [good, '', '', good, good, 'N/A']) {
    host.write('proc/loadavg', text);
    await host.sampleAfter(1000);
  }
  assert.deepEqual(host.logger.lines, ['warn load', 'info load', 'warn load']);
});

it('each invalid value of a collector is logged, also one that follows another', async () => {
  let measurements: Measurements = { load1: -1, load5: 1 };
  const collector: Collector = { name: 'two', catalogue: load.catalogue, open: () => () => measurements };
  const logger = new RecordingSensorLogger();
  const sampler = openSampler([collector], hostFilesWith({}), new VirtualClock(), logger);
  assert.deepEqual(await sampler.sample(), { load5: 1 });
  measurements = { load1: -1, load5: -1 };
  assert.deepEqual(await sampler.sample(), {});
  assert.deepEqual(await sampler.sample(), {});
  assert.deepEqual(logger.lines, ['warn two', 'warn two']);
});

it('a /proc/stat without the line of all CPUs is invalid', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  host.edit('proc/stat', /^cpu .*\n/, '');
  await host.sampleAfter(0);
  assert.deepEqual(host.logger.lines, ['warn cpu']);
});

it('a host without /proc and /sys still reports its file system', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  host.remove('proc');
  host.remove('sys');
  assert.deepEqual(Object.keys(await host.sampleAfter(0)), [
    'diskRootUsedBytes',
    'diskRootFreeBytes',
    'diskRootUsedPercent',
    'diskRootInodesUsedPercent',
  ]);
});

it('an impossible CPU temperature is left out', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  host.write('sys/class/thermal/thermal_zone0/temp', '-274000\n');
  assert.equal('cpuTemperatureC' in (await host.sampleAfter(0)), false);
  assert.deepEqual(host.logger.lines, ['warn temperature']);
});

it('an I/O error of the kernel is logged as the reason of the failure', async () => {
  const reasons: unknown[] = [];
  const logger = new RecordingSensorLogger();
  logger.warn = (_, fields) => reasons.push(fields?.['reason']);
  const hostFiles = hostFilesWith({
    read: () => {
      throw new Error('EIO: i/o error, read');
    },
  });
  assert.deepEqual(await openSampler([load], hostFiles, new VirtualClock(), logger).sample(), {});
  assert.deepEqual(reasons, ['EIO: i/o error, read']);
});

it('a hung root file system delays a sample by two seconds and loses its keys', async () => {
  const { clock, logger, sampler } = createHungDisk();
  const sample = sampler.sample();
  await waitTurns();
  await clock.advance(DEADLINE_MS);
  assert.deepEqual(await sample, { load1: 1, load5: 2, load15: 3, threadCount: 1 });
  assert.deepEqual(logger.lines, ['warn filesystem']);
});

it('a hung file system is not read again before it has responded', { timeout: 10_000 }, async () => {
  const { pendingReads, clock, logger, sampler } = createHungDisk();
  const first = sampler.sample();
  await waitTurns();
  await clock.advance(DEADLINE_MS);
  await first;
  await sampler.sample();
  await sampler.sample();
  assert.equal(pendingReads.length, 1);
  pendingReads[0]?.(HALF_FULL);
  await waitTurns();
  assert.deepEqual(logger.lines, ['warn filesystem'], 'an answer after the deadline is no recovery');
  const again = sampler.sample();
  pendingReads[1]?.(HALF_FULL);
  assert.equal((await again)['diskRootUsedPercent'], 62.5);
  assert.deepEqual(logger.lines, ['warn filesystem', 'info filesystem']);
});

it('a healthy sample sets no timer', async () => {
  const sleepless = new VirtualClock();
  sleepless.sleep = (): never => assert.fail('a timer was set');
  const values = await openSampler(
    [filesystem],
    hostFilesWith({}),
    sleepless,
    new RecordingSensorLogger(),
  ).sample();
  assert.equal(values['diskRootUsedPercent'], 62.5);
});

it('a slow sample clears its timer after the file system has responded', async () => {
  const { pendingReads, clock, sampler } = createHungDisk();
  const sample = sampler.sample();
  await waitTurns();
  assert.equal(clock.sleeping, 1);
  pendingReads[0]?.(HALF_FULL);
  await sample;
  assert.equal(clock.sleeping, 0);
});

it('values outside the catalogue of a collector are left out', async () => {
  const logger = new RecordingSensorLogger();
  const liar: Collector = {
    name: 'liar',
    catalogue: load.catalogue,
    open: () => () => ({ load1: 0.5, load5: Number.NaN, load15: -1, invented: 7 }),
  };
  const sampler = openSampler([liar], hostFilesWith({}), new VirtualClock(), logger);
  assert.deepEqual(await sampler.sample(), { load1: 0.5 });
  assert.deepEqual(logger.lines, ['warn liar', 'warn liar', 'warn liar']);
});

it('a rejected promise fails its sensor and not the sample', async () => {
  const hostFiles = hostFilesWith({ usage: () => Promise.reject(new Error('ENOSYS')) });
  const logger = new RecordingSensorLogger();
  assert.deepEqual(await openSampler([filesystem, load], hostFiles, new VirtualClock(), logger).sample(), {
    load1: 1,
    load5: 2,
    load15: 3,
    threadCount: 1,
  });
  assert.deepEqual(logger.lines, ['warn filesystem']);
});

it('a file longer than the limit is cut at the end of a line', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  host.write('proc/loadavg', '1 2 3\n12345 67890\n');
  const hostFiles = openHostFiles(host.root);
  assert.equal(hostFiles.read('proc/loadavg', 10), '1 2 3\n');
  assert.equal(hostFiles.read('proc/loadavg', 4), '');
});

const HALF_FULL: FileSystemUsage = {
  bsize: 4096,
  blocks: 1000,
  bfree: 500,
  bavail: 300,
  files: 100,
  ffree: 75,
};

/** A disk whose reads the test completes, beside a load average that is always present. */
function createHungDisk() {
  const pendingReads: ((usage: FileSystemUsage) => void)[] = [];
  const usage = () => new Promise<FileSystemUsage>((resolve) => pendingReads.push(resolve));
  const clock = new VirtualClock();
  const logger = new RecordingSensorLogger();
  return {
    pendingReads,
    clock,
    logger,
    sampler: openSampler([filesystem, load], hostFilesWith({ usage }), clock, logger),
  };
}

function hostFilesWith(parts: Partial<HostFiles>): HostFiles {
  return {
    read: (path) => {
      if (path === 'proc/loadavg') return '1 2 3 1/1 1\n';
      throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    },
    readBlocking: async () => '',
    firstLine: async () => '',
    list: () => [],
    has: () => false,
    readLink: () => '../../devices/virtual',
    usage: async () => HALF_FULL,
    ...parts,
  };
}

/** Enough turns of the event loop for the sampler to have set its deadline. */
async function waitTurns(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await nextTurn();
}

it('flags and texts are delivered; a wrong type or length is left out', async () => {
  const entryFields = { profile: 'default', meaning: 'a door', source: 'this test' } as const;
  let measurements: Measurements = { doorOpen: true, doorState: 'ajar' };
  const collector: Collector = {
    name: 'door',
    catalogue: [
      { key: 'doorOpen', type: 'flag', ...entryFields },
      { key: 'doorState', type: 'text', charactersMax: 8, ...entryFields },
    ],
    open: () => () => measurements,
  };
  const sampler = openSampler(
    [collector],
    hostFilesWith({}),
    new VirtualClock(),
    new RecordingSensorLogger(),
  );
  assert.deepEqual(await sampler.sample(), { doorOpen: true, doorState: 'ajar' });
  measurements = { doorOpen: 1, doorState: 'a very long story' };
  assert.deepEqual(await sampler.sample(), {});
});

/** Blocking reads of several devices: the effect of a device that hangs, fails or is removed. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { DevicePoller, type DeviceValue } from '../../../src/sensors/devices/poll-devices.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { InvalidValueError } from '../../../src/sensors/files/parse.ts';
import {
  type CatalogueEntry,
  type Collector,
  PartialReadError,
} from '../../../src/sensors/runtime/collector.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { RecordingSensorLogger } from '../helpers/captured-host.ts';
import { createHungFiles } from '../helpers/hung-files.ts';

it('a failing device loses only its own values and is not read further', async () => {
  const { queries, poller } = setup();
  const deviceValues = [
    deviceValue('a', 'one', () => 1),
    deviceValue('b', 'two', fails('EIO'), queries),
    deviceValue('b', 'three', () => 3, queries),
    deviceValue('c', 'four', () => true),
  ];
  await assert.rejects(poller.pollAll(deviceValues), (error) => {
    assert.ok(error instanceof PartialReadError);
    assert.deepEqual(error.measurements, { one: 1, four: true });
    assert.match(error.message, /EIO/);
    return true;
  });
  assert.deepEqual(queries, ['two']);
});

it('a value that the driver does not have is absent and no failure', async () => {
  const { poller, missing } = setup();
  const deviceValues = ['ENODATA', 'ENODEV', 'EAGAIN', 'ENXIO'].map((code) =>
    deviceValue(code, code, fails(code)),
  );
  assert.deepEqual(
    await poller.pollAll([
      ...deviceValues,
      deviceValue('x', 'none', () => undefined),
      deviceValue('y', 'one', () => 1),
    ]),
    {
      one: 1,
    },
  );
  assert.equal(missing(), 0);
});

it('a missing file triggers a new search for devices', async () => {
  const { poller, missing } = setup();
  assert.deepEqual(await poller.pollAll([deviceValue('a', 'one', fails('ENOENT'))]), {});
  assert.equal(missing(), 1);
});

it('a device that failed slowly three times is skipped for a minute and counts as failed', async () => {
  const { queries, clock, poller } = setup();
  const stuck = async () => {
    await clock.advance(1000);
    return fails('ETIMEDOUT')();
  };
  const deviceValues = [deviceValue('a', 'one', stuck, queries), deviceValue('b', 'two', () => 2)];
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round += 1) {
      await assert.rejects(poller.pollAll(deviceValues), { message: /ETIMEDOUT/, measurements: { two: 2 } });
      await clock.advance(10_000);
    }
  };
  await rounds(8);
  assert.equal(queries.length, 3);
  await rounds(6);
  assert.equal(queries.length, 4, 'once a minute from then on');
});

it('a device that failed fast is read again in the next round', async () => {
  const { queries, poller } = setup();
  const deviceValues = [deviceValue('a', 'one', fails('EREMOTEIO'), queries)];
  await assert.rejects(poller.pollAll(deviceValues));
  await assert.rejects(poller.pollAll(deviceValues));
  assert.equal(queries.length, 2);
});

it('an invalid value of a device costs none of its other values', async () => {
  const { queries, poller } = setup();
  const invalid = () => {
    throw new InvalidValueError('/sys/one is invalid: "x"');
  };
  const deviceValues = [deviceValue('a', 'one', invalid), deviceValue('a', 'two', () => 2, queries)];
  await assert.rejects(poller.pollAll(deviceValues), { message: /is invalid/, measurements: { two: 2 } });
  assert.deepEqual(queries, ['two']);
});

it('a partial read delivers its valid values and is logged once', async () => {
  const described = {
    type: 'number',
    profile: 'full',
    unit: '',
    min: 0,
    max: 9,
    decimals: 0,
    meaning: 'm',
    source: 's',
  } as const;
  const catalogue: readonly CatalogueEntry[] = [
    { key: 'one', ...described },
    { key: 'two', ...described },
  ];
  let broken = true;
  const collector: Collector = {
    name: 'parts',
    catalogue,
    open: () => async () => {
      if (broken) throw new PartialReadError({ one: 1, three: 3 }, new Map([['two', new Error('EIO: two')]]));
      return { one: 1, two: 2 };
    },
  };
  const logger = new RecordingSensorLogger();
  const sampler = openSampler([collector], openHostFiles('/nowhere'), new VirtualClock(), logger);
  assert.deepEqual(await sampler.sample(), { one: 1 }, 'values outside the catalogue are left out');
  assert.deepEqual(await sampler.sample(), { one: 1 });
  broken = false;
  assert.deepEqual(await sampler.sample(), { one: 1, two: 2 });
  assert.deepEqual(logger.lines, ['warn parts', 'warn parts', 'info parts']);
});

it('a device that fails slowly now and then is read each time', async () => {
  const { queries, clock, poller } = setup();
  let isSlow = false;
  const moody = async () => {
    if (!isSlow) return 1;
    await clock.advance(1000);
    return fails('ETIMEDOUT')();
  };
  for (let round = 0; round < 20; round += 1) {
    isSlow = round % 5 === 0;
    await poller.pollAll([deviceValue('a', 'one', moody, queries)]).catch(() => {});
    await clock.advance(10_000);
  }
  assert.equal(queries.length, 20);
});

it('an invalid value of a device that works costs no other value of it', async () => {
  const { poller } = setup();
  const invalid = () => {
    throw new InvalidValueError('two is invalid: "x"');
  };
  const deviceValues = [
    deviceValue('a', 'one', () => 1),
    deviceValue('a', 'two', invalid),
    deviceValue('a', 'three', () => 3),
  ];
  for (let round = 0; round < 2; round += 1) {
    await assert.rejects(poller.pollAll(deviceValues), (error) => {
      assert.ok(error instanceof PartialReadError);
      assert.deepEqual(error.measurements, { one: 1, three: 3 });
      assert.deepEqual([...error.failures.keys()], ['a']);
      return true;
    });
  }
});

it('a device that failed and disappears counts as failed for an hour', async () => {
  const { clock, poller } = setup();
  await assert.rejects(poller.pollAll([deviceValue('a', 'one', fails('EIO'))]), { message: /EIO/ });
  await assert.rejects(poller.pollAll([deviceValue('a', 'one', fails('ENOENT'))]), { message: /EIO/ });
  await clock.advance(3_599_999);
  assert.throws(() => poller.poll([]), { message: /EIO/ });
  await clock.advance(1);
  assert.deepEqual(poller.poll([]), {});
});

it('hung devices occupy two threads of the pool at most', {
  timeout: 20_000,
}, async (t) => {
  const { folder, release } = createHungFiles(t, 6);
  writeFileSync(join(folder, 'file'), 'still there\n');
  const hostFiles = openHostFiles(folder);
  const hung = Array.from({ length: 6 }, (_, index) => hostFiles.readBlocking(`hung${index}`));
  // This read uses the pool as well, like the spool and name resolution; it would hang if all four threads did.
  const file = await open(join(folder, 'file'));
  assert.equal((await file.readFile('utf8')).trim(), 'still there');
  await file.close();
  release();
  assert.deepEqual(
    (await Promise.all(hung)).map((text) => text.trim()),
    Array.from({ length: 6 }, () => 'at last'),
  );
});

it('a failed blocking read frees its thread', async () => {
  const hostFiles = openHostFiles('/');
  const reads = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) =>
      hostFiles.readBlocking(index % 2 ? 'proc/uptime' : 'proc/nothing'),
    ),
  );
  assert.deepEqual(
    reads.map(({ status }) => status),
    Array.from({ length: 9 }, (_, index) => (index % 2 ? 'fulfilled' : 'rejected')),
  );
});

function setup() {
  const clock = new VirtualClock();
  let missingCount = 0;
  const poller = new DevicePoller(clock, () => {
    missingCount += 1;
  });
  const queries: string[] = [];
  return { queries, clock, poller, missing: () => missingCount };
}

function deviceValue(
  device: string,
  key: string,
  value: () => number | boolean | undefined | Promise<number | undefined>,
  queries: string[] = [],
): DeviceValue {
  return {
    device,
    key,
    read: async () => {
      queries.push(key);
      return value();
    },
  };
}

function fails(code: string): () => never {
  return () => {
    throw Object.assign(new Error(`${code}: test`), { code });
  };
}

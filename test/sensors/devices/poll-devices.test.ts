/** Slow reads and rounds of them: what a device that hangs, fails or is pulled may cost. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { DeviceRounds, type Probe } from '../../../src/sensors/devices/poll-devices.ts';
import { openTree } from '../../../src/sensors/files/host-files.ts';
import {
  type CatalogueEntry,
  type Collector,
  PartlyReadError,
} from '../../../src/sensors/runtime/collector.ts';
import { Guard } from '../../../src/sensors/runtime/collector-runner.ts';
import { NOTHING_TOLD } from '../../../src/sensors/runtime/external-values.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { JournalDouble } from '../helpers/captured-host.ts';
import { hungFiles } from '../helpers/hung-files.ts';

it('a device that fails costs its own values, and is not asked for its others', async () => {
  const { asked, rounds } = stage();
  const probes = [
    probe('a', 'one', () => 1),
    probe('b', 'two', fails('EIO'), asked),
    probe('b', 'three', () => 3, asked),
    probe('c', 'four', () => true),
  ];
  await assert.rejects(rounds.read(probes), (error) => {
    assert.ok(error instanceof PartlyReadError);
    assert.deepEqual(error.measured, { one: 1, four: true });
    assert.match(error.message, /EIO/);
    return true;
  });
  assert.deepEqual(asked, ['two']);
});

it('what a driver has no value for is absent, and nothing is wrong', async () => {
  const { rounds, gone } = stage();
  const probes = ['ENODATA', 'ENODEV', 'EAGAIN', 'ENXIO'].map((code) => probe(code, code, fails(code)));
  assert.deepEqual(
    await rounds.read([...probes, probe('x', 'none', () => undefined), probe('y', 'one', () => 1)]),
    {
      one: 1,
    },
  );
  assert.equal(gone(), 0);
});

it('a file that has gone is told, so that the host is looked at again', async () => {
  const { rounds, gone } = stage();
  assert.deepEqual(await rounds.read([probe('a', 'one', fails('ENOENT'))]), {});
  assert.equal(gone(), 1);
});

it('a device that took long to fail is left alone for a minute, during which its failure stands', async () => {
  const { asked, clock, rounds } = stage();
  const stuck = async () => {
    await clock.advance(1000);
    return fails('ETIMEDOUT')();
  };
  const probes = [probe('a', 'one', stuck, asked), probe('b', 'two', () => 2)];
  for (let round = 0; round < 6; round += 1) {
    await assert.rejects(rounds.read(probes), { message: /ETIMEDOUT/, measured: { two: 2 } });
    await clock.advance(10_000);
  }
  assert.equal(asked.length, 1);
  await assert.rejects(rounds.read(probes), { message: /ETIMEDOUT/ });
  assert.equal(asked.length, 2);
});

it('a device that fails at once is asked again at once', async () => {
  const { asked, rounds } = stage();
  const probes = [probe('a', 'one', fails('EREMOTEIO'), asked)];
  await assert.rejects(rounds.read(probes));
  await assert.rejects(rounds.read(probes));
  assert.equal(asked.length, 2);
});

it('of a collector that could read a part, the reading has that part, and the journal one line', async () => {
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
      if (broken)
        throw new PartlyReadError({ one: 1, two: 77, three: 3 }, new Map([['two', new Error('EIO: two')]]));
      return { one: 1, two: 2 };
    },
  };
  const journal = new JournalDouble();
  const sampler = openSampler([collector], openTree('/nowhere'), new VirtualClock(), journal);
  assert.deepEqual(await sampler.sample(), { one: 1 }, 'what is outside the catalogue is not believed');
  assert.deepEqual(await sampler.sample(), { one: 1 });
  broken = false;
  assert.deepEqual(await sampler.sample(), { one: 1, two: 2 });
  assert.deepEqual(journal.lines, ['warn parts', 'info parts']);
});

it('each device that fails is told once, whatever others do, and again when it fails again', async () => {
  const failing = new Map<string, Error>();
  const collector: Collector = {
    name: 'bus',
    catalogue: [],
    open: () => async () => {
      if (failing.size > 0) throw new PartlyReadError({}, new Map(failing));
      return {};
    },
  };
  const log = new RecordingLogger();
  const guard = new Guard(collector, {
    tree: openTree('/nowhere'),
    clock: new VirtualClock(),
    log,
    wants: () => true,
    told: NOTHING_TOLD,
    everyMs: 0,
  });
  const told = async () => {
    await guard.read();
    await guard.read();
    return log.lines.splice(0).map(({ level, fields }) => `${level} ${fields['reason'] ?? ''}`.trim());
  };
  failing.set('a', new Error('EIO: a'));
  assert.deepEqual(await told(), ['warn EIO: a']);
  failing.set('b', new Error('EIO: b'));
  assert.deepEqual(await told(), ['warn EIO: b']);
  failing.delete('b');
  assert.deepEqual(await told(), []);
  failing.set('b', new Error('EIO: b'));
  assert.deepEqual(await told(), ['warn EIO: b']);
  failing.clear();
  assert.deepEqual(await told(), ['info']);
});

it('devices that hang take two threads of the pool, and the rest of the process has the others', {
  timeout: 20_000,
}, async (t) => {
  const { folder, release } = hungFiles(t, 6);
  writeFileSync(join(folder, 'file'), 'still there\n');
  const tree = openTree(folder);
  const hung = Array.from({ length: 6 }, (_, index) => tree.readSlowly(`hung${index}`));
  // Through the pool too, as the spool and name resolution are: it would wait for ever if all four threads hung.
  const file = await open(join(folder, 'file'));
  assert.equal((await file.readFile('utf8')).trim(), 'still there');
  await file.close();
  release();
  assert.deepEqual(
    (await Promise.all(hung)).map((text) => text.trim()),
    Array.from({ length: 6 }, () => 'at last'),
  );
});

it('a slow read that fails gives its place to the next one', async () => {
  const tree = openTree('/');
  const reads = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) => tree.readSlowly(index % 2 ? 'proc/uptime' : 'proc/nothing')),
  );
  assert.deepEqual(
    reads.map(({ status }) => status),
    Array.from({ length: 9 }, (_, index) => (index % 2 ? 'fulfilled' : 'rejected')),
  );
});

function stage() {
  const clock = new VirtualClock();
  let goneCount = 0;
  const rounds = new DeviceRounds(clock, () => {
    goneCount += 1;
  });
  const asked: string[] = [];
  return { asked, clock, rounds, gone: () => goneCount };
}

function probe(
  device: string,
  key: string,
  value: () => number | boolean | undefined | Promise<number | undefined>,
  asked: string[] = [],
): Probe {
  return {
    device,
    key,
    read: async () => {
      asked.push(key);
      return value();
    },
  };
}

function fails(code: string): () => never {
  return () => {
    throw Object.assign(new Error(`${code}: test`), { code });
  };
}

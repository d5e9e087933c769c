/** Bytes of a file system whose blocks have another size than f_bsize, and counts that cannot be. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import {
  type FileSystemUsage,
  type HostFiles,
  openHostFiles,
} from '../../../src/sensors/files/host-files.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { filesystem } from '../../../src/sensors/storage/filesystem.ts';
import { mounts } from '../../../src/sensors/storage/mounts.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { RecordingSensorLogger } from '../helpers/captured-host.ts';

const EXT4 = 0xef53;
const FUSE = 0x65735546;
const VIRTIOFS = 0x6a656a63;
const ZFS = 0x2fc12fc1;
/** Of a virtiofs of 461 GiB. */
const SHARED = {
  bsize: 1_048_576,
  blocks: 120_699_413,
  bfree: 30_910_000,
  bavail: 30_910_000,
  files: 0,
  ffree: 0,
};

async function sampleOf(usage: FileSystemUsage, logger = new RecordingSensorLogger()): Promise<Values> {
  const table = '1 1 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /srv rw - ext4 /dev/sda2 rw\n';
  const hostFiles = { ...openHostFiles('/nowhere'), read: () => table, usage: async () => usage };
  return openSampler([filesystem, mounts], hostFiles, new VirtualClock(), logger).sample();
}

for (const part of ['Root', 'Srv']) {
  it(`the bytes of ${part} are counted in fragments, not in blocks`, async () => {
    const values = await sampleOf({ ...SHARED, frsize: 4096, type: VIRTIOFS });
    assert.equal(values[`disk${part}UsedBytes`], (120_699_413 - 30_910_000) * 4096);
    assert.equal(values[`disk${part}FreeBytes`], 30_910_000 * 4096);
    assert.equal(values[`disk${part}UsedPercent`], 74.4);
  });

  it(`without the size of a fragment ${part} has no bytes on types that differ`, async () => {
    for (const type of [FUSE, VIRTIOFS, ZFS]) {
      const values = await sampleOf({ ...SHARED, type });
      assert.equal(`disk${part}UsedBytes` in values || `disk${part}FreeBytes` in values, false);
      assert.equal(values[`disk${part}UsedPercent`], 74.4);
    }
    const values = await sampleOf({ ...SHARED, bsize: 4096, type: EXT4 });
    assert.equal(values[`disk${part}FreeBytes`], 30_910_000 * 4096);
  });
}

for (const [what, counts] of [
  ['more free than total blocks', { bfree: 2 ** 64 - 2048 }],
  ['more available than total blocks', { bavail: 2 ** 64 - 2048 }],
  ['no blocks', { blocks: 0, bfree: 0, bavail: 0 }],
] as const) {
  it(`a file system with ${what} has no values and is logged`, async () => {
    const logger = new RecordingSensorLogger();
    const values = await sampleOf({ ...SHARED, type: EXT4, ...counts }, logger);
    assert.deepEqual(Object.keys(values), ['diskRootReadOnly', 'diskSrvReadOnly']);
    assert.deepEqual(logger.lines, ['warn filesystem', 'warn mounts']);
  });
}

it('more free than total inodes cost only the share of the inodes', async () => {
  const values = await sampleOf({ ...SHARED, type: EXT4, files: 100, ffree: 101 });
  assert.equal('diskRootInodesUsedPercent' in values, false);
  assert.equal(values['diskRootUsedPercent'], 74.4);
});

it('the use is sampled in the same turn if the call returns at once, and an error costs only its values', async () => {
  const table = '1 1 8:1 / / rw - ext4 /dev/sda1 rw\n';
  const usages: readonly HostFiles['usage'][] = [
    () => ({ ...SHARED, type: EXT4 }),
    () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    },
  ];
  const samples = usages.map(async (usage) => {
    const logger = new RecordingSensorLogger();
    const hostFiles = { ...openHostFiles('/nowhere'), read: () => table, usage };
    const values = await openSampler([filesystem], hostFiles, new VirtualClock(), logger).sample();
    return [values['diskRootUsedPercent'], values['diskRootReadOnly'], logger.lines];
  });
  assert.deepEqual(await Promise.all(samples), [
    [74.4, false, []],
    [undefined, false, ['warn filesystem']],
  ]);
});

/** Drives with broken counters, drives with several paths, and counts that are withheld. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const INTERVAL_MS = 10_000;
const SECTOR_BYTES = 512;

function appendLine(host: CapturedHost, line: string): void {
  host.write('proc/diskstats', `${host.read('proc/diskstats')}${line}\n`);
}

it('a drive with a negative counter costs no other drive and no sound counter', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  addDevice(pi, 'sys/block/sda/device', { model: 'broken' });
  appendLine(pi, '   8       0 sda 100 0 2000 -2049562273 5 0 40 3 0 10 13 0 0 0 0');
  await pi.sampleAfter(0);
  const values = await pi.sampleAfter(INTERVAL_MS);
  assert.equal(values['driveMmcblk0WrittenBytes'], 902446 * SECTOR_BYTES);
  assert.equal(values['driveMmcblk0ReadBytesPerS'], 0);
  assert.deepEqual(valuesWithPrefix(values, 'driveSda'), {
    driveSdaBusyPercent: 0,
    driveSdaReadBytesPerS: 0,
    driveSdaWrittenBytes: 40 * SECTOR_BYTES,
    driveSdaWrittenBytesPerS: 0,
  });
  assert.deepEqual(pi.logger.lines, ['warn drives']);
});

it('a drive in two lines has no values', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  appendLine(pi, ' 179       0 mmcblk0 1 0 1 1 1 1 1 1 0 1 1 0 0 0 0 0 0');
  assert.equal('driveMmcblk0WrittenBytes' in (await pi.sampleAfter(0)), false);
  assert.deepEqual(pi.logger.lines, ['warn drives']);
});

const PI_COUNTERS = '21044 6120 1844102 101220 18211 30144 902446 412008 0 96120 513312 0 0 0 0 2104 84';
const ZEROS = PI_COUNTERS.replaceAll(/\d+/g, '0');
const MOVED = '21045 6120 1844110 101221 18212 30144 902454 412009 0 96220 513313 0 0 0 0 2104 84';

it('counters that are zero for one sample give no value in it and no rate after it', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  pi.edit('proc/diskstats', `mmcblk0 ${PI_COUNTERS}`, `mmcblk0 ${ZEROS}`);
  const zeros = valuesWithPrefix(await pi.sampleAfter(INTERVAL_MS), 'driveMmcblk0');
  pi.edit('proc/diskstats', `mmcblk0 ${ZEROS}`, `mmcblk0 ${MOVED}`);
  const back = valuesWithPrefix(await pi.sampleAfter(INTERVAL_MS), 'driveMmcblk0');
  for (const values of [zeros, back]) {
    assert.deepEqual(
      Object.keys(values).filter((key) => /(PerS|Percent|Ms)$/.test(key)),
      [],
    );
  }
  assert.equal('driveMmcblk0WrittenBytes' in zeros, false);
  assert.equal(back['driveMmcblk0WrittenBytes'], 902454 * SECTOR_BYTES);
  assert.deepEqual(pi.logger.lines, []);
});

it('a busy time that jumps is no drive that is busy all the time', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  pi.edit('proc/diskstats', '96120', '1096120');
  const values = await pi.sampleAfter(INTERVAL_MS);
  assert.equal('driveMmcblk0BusyPercent' in values, false);
  assert.equal(values['driveMmcblk0ReadBytesPerS'], 0);
});

it('an NVMe drive has rates above 1 GB/s, a card has none', async (t) => {
  for (const [host, part, counters, next, perS] of [
    ['x86-gateway', 'Nvme0n1', '120331 8022 9022331', '220331 8022 69022331', 6e6 * SECTOR_BYTES],
    ['raspberry-pi-4', 'Mmcblk0', '21044 6120 1844102', '31044 6120 61844102', undefined],
  ] as const) {
    const captured = new CapturedHost(host, t);
    await captured.sampleAfter(0);
    captured.edit('proc/diskstats', counters, next);
    const values = await captured.sampleAfter(INTERVAL_MS);
    assert.equal(values[`drive${part}ReadBytesPerS`], perS);
  }
});

/** `head` and `path`: sectors read and written, by the two lines of one NVMe drive. */
for (const { what, head, paths, writtenSectors } of [
  { what: 'only its path', head: [0, 0], paths: [[2000, 4000]], writtenSectors: 4000 },
  {
    what: 'only its two paths',
    head: [0, 0],
    paths: [
      [2000, 4000],
      [100, 200],
    ],
    writtenSectors: 4200,
  },
  { what: 'itself and its path', head: [2000, 4000], paths: [[2000, 4000]], writtenSectors: 4000 },
  { what: 'itself, without lines of its paths', head: [2000, 4000], paths: [], writtenSectors: 4000 },
] as const) {
  it(`an NVMe drive with several paths, counted by ${what}, is one drive`, async (t) => {
    const host = new CapturedHost('x86-vm', t);
    addDevice(host, 'sys/block/nvme0n1', { hidden: '0' });
    mkdirSync(join(host.root, 'sys/block/nvme0n1/device'), { recursive: true });
    for (const path of ['nvme0c0n1', 'nvme0c1n1']) {
      addDevice(host, `sys/block/${path}`, { hidden: '1' });
      mkdirSync(join(host.root, `sys/block/${path}/device`), { recursive: true });
    }
    const lineOf = (name: string, [read = 0, written = 0]: readonly number[], more = 0) =>
      ` 259 0 ${name} ${read + more} 0 ${read + more} ${read + more} ${written} 0 ${written} ${written} 0 ${read} ${read} 0 0 0 0`;
    const table = host.read('proc/diskstats');
    for (const more of [0, 100]) {
      const moving = (numbers: readonly number[], add = more) => (numbers[0] === 0 ? 0 : add);
      const lines = [
        lineOf('nvme0n1', head, moving(head)),
        ...paths.map((path, at) => lineOf(`nvme0c${at}n1`, path, at === 0 ? more : 0)),
      ];
      host.write('proc/diskstats', `${table}${lines.join('\n')}\n`);
      const values = valuesWithPrefix(await host.sampleAfter(INTERVAL_MS), 'driveNvme');
      assert.equal(values['driveNvme0n1WrittenBytes'], writtenSectors * SECTOR_BYTES);
      if (more > 0) assert.equal(values['driveNvme0n1ReadBytesPerS'], 10 * SECTOR_BYTES);
      assert.deepEqual(
        Object.keys(values).filter((key) => !key.startsWith('driveNvme0n1')),
        [],
      );
    }
    assert.deepEqual(host.logger.lines, []);
  });
}

it('a drive without a line is searched every five minutes, not in each sample', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  mkdirSync(join(host.root, 'sys/block/sdz/device'), { recursive: true });
  await host.sampleAfter(0);
  mkdirSync(join(host.root, 'sys/block/sdy/device'), { recursive: true });
  appendLine(host, '   8 0 sdy 10 0 80 5 20 0 160 9 0 12 14 0 0 0 0 0 0');
  assert.equal('driveSdyWrittenBytes' in (await host.sampleAfter(INTERVAL_MS)), false);
  assert.equal((await host.sampleAfter(300_000))['driveSdyWrittenBytes'], 160 * SECTOR_BYTES);
});

/** Hung mounts, drives and links that appear and disappear, and the life of an eMMC. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type FileSystemUsage,
  type HostFiles,
  openHostFiles,
} from '../../../src/sensors/files/host-files.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { mounts } from '../../../src/sensors/storage/mounts.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { CapturedHost, RecordingSensorLogger } from '../helpers/captured-host.ts';

const USE: FileSystemUsage = { bsize: 4096, blocks: 1000, bfree: 500, bavail: 300, files: 0, ffree: 0 };
const TABLE = ['/', '/mnt/dead', '/mnt/well']
  .map((point, at) => `${at + 1} 1 8:${at} / ${point} rw - ext4 /dev/sda${at} rw\n`)
  .join('');

it('a hung mount loses only its values and is not read again meanwhile', async () => {
  const queries: string[] = [];
  let answer: (use: FileSystemUsage) => void = () => {};
  const hostFiles: HostFiles = {
    ...openHostFiles('/nowhere'),
    read: () => TABLE,
    usage: (path) => {
      queries.push(path);
      return path === '/mnt/dead' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(USE);
    },
  };
  const clock = new VirtualClock();
  const logger = new RecordingSensorLogger();
  const sampler = openSampler([mounts], hostFiles, clock, logger);
  const first = sampler.sample();
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  await clock.advance(750);
  assert.equal((await first)['diskMntWellUsedPercent'], 62.5);
  const second = await sampler.sample();
  assert.equal(second['diskMntWellUsedPercent'], 62.5);
  assert.equal('diskMntDeadUsedPercent' in second, false);
  assert.deepEqual(queries, ['/mnt/dead', '/mnt/well', '/mnt/well']);
  assert.deepEqual(logger.lines, ['warn mounts']);
  answer(USE);
  await nextTurn();
  const third = sampler.sample();
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  answer(USE);
  assert.equal((await third)['diskMntDeadUsedPercent'], 62.5);
  assert.deepEqual(logger.lines, ['warn mounts', 'info mounts']);
});

it('network shares, container overlays and binds are not reported', async (t) => {
  const values = await new CapturedHost('raspberry-pi-4', t).sampleAfter(0);
  const disks = Object.keys(values).filter(
    (key) => /^disk.*UsedPercent$/.test(key) && !key.includes('Inodes'),
  );
  assert.deepEqual(disks.toSorted(), ['diskBootFirmwareUsedPercent', 'diskRootUsedPercent']);
});

for (const [stopped, options] of [
  [true, 'ro'],
  [true, 'rw,emergency_ro'],
  [false, 'rw,errors=remount-ro'],
] as const) {
  it(`a root with the options "${options}" is ${stopped ? '' : 'not '}read-only`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.edit('proc/self/mountinfo', 'ext4 /dev/mmcblk0p2 rw\n', `ext4 /dev/mmcblk0p2 ${options}\n`);
    assert.equal((await pi.sampleAfter(0))['diskRootReadOnly'], stopped);
  });
}

for (const [life, percent] of [
  ['0x01 0x02', 20],
  ['0x0b 0x01', 110],
  ['0x00 0x00', undefined],
  ['0x0c 0x01', undefined],
] as const) {
  it(`an eMMC life_time of ${life} means ${percent ?? 'no value'}`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.write('sys/class/mmc_host/mmc0/mmc0:aaaa/life_time', `${life}\n`);
    assert.equal((await pi.sampleAfter(0))['driveMmcblk0LifeUsedPercent'], percent);
    assert.deepEqual(pi.logger.lines, life === '0x0c 0x01' ? ['warn flash'] : []);
  });
}

it('a re-created interface has no rates in its first sample', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  pi.write('sys/class/net/eth0/ifindex', '9\n');
  pi.edit('proc/net/dev', '48211033', '48221033');
  assert.equal('netEth0RxBytesPerS' in (await pi.sampleAfter(1000)), false);
  pi.edit('proc/net/dev', '48221033', '48222033');
  assert.equal((await pi.sampleAfter(1000))['netEth0RxBytesPerS'], 1000);
});

it('a failover changes the default route, and no route is "none"', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.edit('proc/net/route', /eth0\t00000000.*\n/, '');
  const { defaultRouteInterface, defaultRouteGateway } = await pi.sampleAfter(0);
  assert.deepEqual([defaultRouteInterface, defaultRouteGateway], ['wlan0', '198.51.100.1']);
  pi.edit('proc/net/route', /wlan0\t00000000.*\n/, '');
  assert.equal((await pi.sampleAfter(0))['defaultRouteGateway'], 'fe80::1');
  pi.write('proc/net/ipv6_route', '');
  assert.equal((await pi.sampleAfter(0))['defaultRouteInterface'], 'none');
});

it('a new drive is found within 5 minutes; a removed one is absent at once', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  mkdirSync(join(pi.root, 'sys/block/sda/device'), { recursive: true });
  const table = pi.read('proc/diskstats');
  pi.write('proc/diskstats', `${table}   8       0 sda 10 0 80 5 20 0 160 9 0 12 14 0 0 0 0 0 0\n`);
  assert.equal((await pi.sampleAfter(300_000))['driveSdaWrittenBytes'], 160 * 512);
  pi.write('proc/diskstats', table);
  assert.equal('driveSdaWrittenBytes' in (await pi.sampleAfter(1000)), false);
  assert.deepEqual(pi.logger.lines, []);
});

it('missing pressure, Wi-Fi and diskstats files are no failures', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  for (const path of ['proc/pressure', 'proc/net/wireless', 'proc/diskstats', 'proc/vmstat']) pi.remove(path);
  const values = await pi.sampleAfter(0);
  assert.deepEqual(
    Object.keys(values).filter((key) => /^(pressure|oom)|Dbm$|WrittenBytes$/.test(key)),
    [],
  );
  assert.deepEqual(pi.logger.lines, []);
});

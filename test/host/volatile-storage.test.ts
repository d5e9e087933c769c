/** Storage that a reboot empties, by the mount tables of hosts that keep their root or state in memory. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { findVolatileStorage } from '../../src/host/volatile-storage.ts';
import { hostOf } from './host-files.ts';

const STATE = '/var/lib/firstlight';
const EXT4 = '23 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw';
const OVERLAY = (options: string, point = '/') =>
  `23 1 0:25 / ${point} rw,relatime shared:1 - overlay overlayroot rw,lowerdir=/media/root-ro,${options}`;

interface HostOptions {
  readonly mounts: readonly string[];
  readonly directories?: readonly string[];
  readonly cmdline?: string;
}

function volatileOn(
  t: TestContext,
  { mounts, directories = [], cmdline = 'quiet' }: HostOptions,
): string | undefined {
  const root = hostOf(t, { 'proc/self/mountinfo': `${mounts.join('\n')}\n`, 'proc/cmdline': `${cmdline}\n` });
  for (const directory of [STATE, ...directories]) mkdirSync(join(root, directory), { recursive: true });
  return findVolatileStorage(STATE, root);
}

describe('findVolatileStorage', () => {
  const cases: readonly [title: string, options: HostOptions, expected: string | undefined][] = [
    ['a disk', { mounts: [EXT4] }, undefined],
    [
      '/var/lib in memory',
      { mounts: [EXT4, '30 23 0:30 / /var/lib rw shared:2 - tmpfs log2ram rw,size=128M'] },
      'tmpfs at /var/lib',
    ],
    [
      'a disk mounted over memory',
      {
        mounts: [
          EXT4,
          '30 23 0:30 / /var/lib rw - tmpfs tmpfs rw',
          '31 30 179:3 /fl /var/lib/firstlight rw - ext4 /dev/mmcblk0p3 rw',
        ],
      },
      undefined,
    ],
    [
      'a directory beside the one in memory',
      { mounts: [EXT4, '30 23 0:30 / /var/li rw - tmpfs tmpfs rw'] },
      undefined,
    ],
    [
      'the later of two mounts',
      { mounts: [EXT4, '30 23 179:3 / /var rw - ext4 /dev/sda1 rw', '31 23 0:31 / /var rw - ramfs none rw'] },
      'ramfs at /var',
    ],
    [
      'a compressed RAM disk',
      { mounts: [EXT4, '30 23 252:0 / /var rw - ext4 /dev/zram1 rw'] },
      '/dev/zram1 at /var',
    ],
    [
      'an overlay root with its changes in a tmpfs',
      {
        mounts: [
          OVERLAY('upperdir=/media/root-rw/overlay,workdir=/media/root-rw/overlay-workdir/_'),
          '24 23 0:24 / /media/root-rw rw - tmpfs tmpfs-root rw',
        ],
        directories: ['/media/root-rw/overlay', '/media/root-rw/overlay-workdir/_'],
      },
      'an overlay at /, whose changes are on tmpfs at /media/root-rw',
    ],
    [
      'an overlay root with its changes on a disk',
      {
        mounts: [
          OVERLAY('upperdir=/media/root-rw/overlay,workdir=/media/root-rw/work'),
          '24 23 179:3 / /media/root-rw rw - ext4 /dev/mmcblk0p3 rw',
        ],
        directories: ['/media/root-rw/overlay', '/media/root-rw/work'],
      },
      undefined,
    ],
    [
      'the root of a container, whose layer has the path of a tmpfs inside',
      {
        mounts: [
          OVERLAY('upperdir=/tmp/layers/diff,workdir=/tmp/layers/work'),
          '24 23 0:24 / /tmp rw - tmpfs tmpfs rw',
        ],
      },
      undefined,
    ],
    [
      'an overlay root of raspi-config, whose layer is not visible',
      {
        mounts: [OVERLAY('upperdir=/upper,workdir=/work')],
        cmdline: 'console=tty1 boot=overlay root=/dev/x',
      },
      'an overlay at /, whose changes are in memory',
    ],
    [
      'an overlay root of overlayroot, whose layer is not visible',
      { mounts: [OVERLAY('upperdir=/upper,workdir=/work')], cmdline: 'overlayroot=tmpfs:recurse=0 quiet' },
      'an overlay at /, whose changes are in memory',
    ],
    [
      'a disk below an overlay root',
      {
        mounts: [
          OVERLAY('upperdir=/upper,workdir=/work'),
          '30 23 179:3 / /var/lib/firstlight rw - ext4 /dev/mmcblk0p3 rw',
        ],
        cmdline: 'boot=overlay',
      },
      undefined,
    ],
    [
      'a mount point with a space',
      {
        mounts: [
          EXT4,
          '30 23 0:30 / /var\\040x rw - tmpfs tmpfs rw',
          '31 23 0:30 / /var rw - tmpfs tmpfs rw',
        ],
      },
      'tmpfs at /var',
    ],
    ['no mount table', { mounts: [] }, undefined],
  ];
  for (const [title, options, expected] of cases)
    it(`findVolatileStorage recognises ${title}`, (t) => assert.equal(volatileOn(t, options), expected));

  it('findVolatileStorage follows the links of a dynamic user and of an operator', (t) => {
    const mounts = [EXT4, '30 23 0:30 / /data rw - tmpfs tmpfs rw'];
    const root = hostOf(t, { 'proc/self/mountinfo': `${mounts.join('\n')}\n` });
    for (const directory of ['var/lib', 'data/fl']) mkdirSync(join(root, directory), { recursive: true });
    symlinkSync('../../data/fl', join(root, 'var/lib/firstlight'));
    assert.equal(findVolatileStorage(STATE, root), 'tmpfs at /data');
  });

  it('findVolatileStorage judges a directory that does not exist by the one above', (t) => {
    const mounts = [EXT4, '30 23 0:30 / /var/lib rw - tmpfs tmpfs rw'];
    const root = hostOf(t, { 'proc/self/mountinfo': `${mounts.join('\n')}\n`, 'var/lib/other': '' });
    assert.equal(findVolatileStorage('/var/lib/firstlight/deeper', root), 'tmpfs at /var/lib');
  });

  it('findVolatileStorage recognises /dev/shm of this host', {
    skip: !hasShm() && 'no tmpfs at /dev/shm',
  }, () => {
    assert.equal(findVolatileStorage('/dev/shm/firstlight'), 'tmpfs at /dev/shm');
  });
});

function hasShm(): boolean {
  try {
    return execFileSync('stat', ['-f', '-c', '%T', '/dev/shm'], { encoding: 'utf8' }).trim() === 'tmpfs';
  } catch {
    return false;
  }
}

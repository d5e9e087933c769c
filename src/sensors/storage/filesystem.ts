/**
 * The root file system: bytes used, bytes an ordinary program may still write, the share that is used, and whether the kernel has
 * stopped writing to it, which is what an SD card that dies looks like.
 *
 * The share is counted as df does, used / (used + available), so the blocks reserved for root do not make a full disk look
 * 95 % full. The root has a collector to itself: what another mount does (mounts.ts) cannot cost it its values. Even so the call is
 * asynchronous, and guard.ts does not repeat it before it has come back.
 */

import { asError } from '../files/errors.ts';
import {
  type CatalogueEntry,
  type Collector,
  type NumberEntry,
  PartialReadError,
} from '../runtime/collector.ts';
import { MountTable } from './mount-table.ts';
import { usageValues } from './usage.ts';

const BYTES_MAX = 2 ** 53;

export const filesystem: Collector = {
  name: 'filesystem',
  catalogue: [
    bytesEntry('diskRootUsedBytes', 'bytes used on the root file system'),
    bytesEntry(
      'diskRootFreeBytes',
      'bytes that unprivileged programs can still write to the root file system',
    ),
    percentEntry('diskRootUsedPercent', 'minimal', 'share of the root file system in use'),
    percentEntry('diskRootInodesUsedPercent', 'full', 'share of the inodes of the root file system in use'),
    {
      key: 'diskRootReadOnly',
      type: 'flag',
      profile: 'default',
      meaning: 'the root file system is read-only, by configuration or after an error',
      source: 'proc_pid_mountinfo(5)',
    },
  ],
  open: (hostFiles, _clock, isSelected) => {
    const table = new MountTable(hostFiles);
    return async () => {
      const usage = usageValues('Root', await hostFiles.usage('/'));
      if (!isSelected('diskRootReadOnly')) return usage;
      try {
        return { ...usage, diskRootReadOnly: table.read()?.find(({ point }) => point === '/')?.isReadOnly };
      } catch (error) {
        const reason = asError(error);
        throw new PartialReadError(usage, new Map([['mount table', reason]]));
      }
    };
  },
};

function bytesEntry(key: string, meaning: string): CatalogueEntry {
  return {
    key,
    type: 'number',
    profile: 'full',
    unit: 'B',
    min: 0,
    max: BYTES_MAX,
    decimals: 0,
    meaning,
    source: 'statfs(2)',
  };
}

function percentEntry(key: string, profile: NumberEntry['profile'], meaning: string): CatalogueEntry {
  return {
    key,
    type: 'number',
    profile,
    unit: '%',
    min: 0,
    max: 100,
    decimals: 1,
    meaning,
    source: 'statfs(2); df(1) for the formula',
  };
}

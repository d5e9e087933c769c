/**
 * Usage of the root file system, and whether the kernel has made it read-only, which is how a dying SD card
 * appears. It has its own collector, so that another mount (mounts.ts) does not affect its values. The usage
 * is calculated as df does, used / (used + available), so that blocks reserved for root do not make a full
 * disk look 95 % full.
 */

import type { FileSystemUsage } from '../files/host-files.ts';
import { asError, InvalidValueError } from '../files/parse.ts';
import {
  type CatalogueEntry,
  type Collector,
  type Measurements,
  type NumberEntry,
  PartialReadError,
} from '../runtime/collector.ts';
import { MountTable } from './mount-table.ts';

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

/** The values of the file system named `part` in keys: `diskRootUsedBytes` for `Root`. */
export function usageValues(
  part: string,
  { bsize, blocks, bfree, bavail, files, ffree }: FileSystemUsage,
): Measurements {
  const used = blocks - bfree;
  if (blocks <= 0 || used + bavail <= 0)
    throw new InvalidValueError(`the file system ${part} reports a size of 0`);
  return {
    [`disk${part}UsedBytes`]: used * bsize,
    [`disk${part}FreeBytes`]: bavail * bsize,
    [`disk${part}UsedPercent`]: (100 * used) / (used + bavail),
    // File systems that create inodes on demand (FAT, btrfs) report 0.
    [`disk${part}InodesUsedPercent`]: files > 0 ? (100 * (files - ffree)) / files : undefined,
  };
}

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

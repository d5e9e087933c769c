/**
 * Usage of the root file system, and whether the kernel has made it read-only, which is how a dying SD card
 * appears. It has its own collector, so that another mount (mounts.ts) does not affect its values. The usage
 * is calculated as df does, used / (used + available), so that blocks reserved for root do not make a full
 * disk look 95 % full.
 */

import { blockBytes } from '../../core/model/block-size.ts';
import type { FileSystemUsage, HostFiles } from '../files/host-files.ts';
import { InvalidValueError } from '../files/parse.ts';
import type { CatalogueEntry, Collector, Measurements, NumberEntry } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';
import { MountTable } from './mount-table.ts';

const BYTES_MAX = 2 ** 53;
/** Of the bytes of all file systems (block-size.ts). */
export const USAGE_NOTE =
  'On FUSE, virtiofs and ZFS the bytes are absent if Node does not report the size of a block (f_frsize), and the shares are right.';

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
  notes: [USAGE_NOTE],
  open: (hostFiles, _clock, isSelected) => {
    const table = new MountTable(hostFiles);
    const readTable = (read: PartialRead) => {
      const { mounts = [], problem } = table.read();
      if (problem !== undefined) read.fail('mount table', problem);
      return { diskRootReadOnly: mounts.find(({ point }) => point === '/')?.isReadOnly };
    };
    return () => {
      const read = new PartialRead();
      const complete = (usage?: FileSystemUsage): Measurements => {
        if (usage !== undefined) read.attempt('usage', () => addUsageValues('Root', usage, read));
        if (isSelected('diskRootReadOnly')) read.attempt('mount table', () => readTable(read));
        return read.result();
      };
      const completeWithout = (error: unknown): Measurements => {
        read.fail('usage', error);
        return complete();
      };
      let usage: ReturnType<HostFiles['usage']>;
      try {
        usage = hostFiles.usage('/');
      } catch (error) {
        return completeWithout(error);
      }
      return usage instanceof Promise ? usage.then(complete, completeWithout) : complete(usage);
    };
  },
};

/** Adds the values of the file system named `part` in keys: `diskRootUsedBytes` for `Root`. */
export function addUsageValues(part: string, usage: FileSystemUsage, read: PartialRead): undefined {
  const { blocks, bfree, bavail, files, ffree } = usage;
  const used = blocks - bfree;
  if (blocks <= 0 || used + bavail <= 0)
    throw new InvalidValueError(`the file system ${part} reports a size of 0`);
  if (used < 0 || bavail > blocks)
    throw new InvalidValueError(`the file system ${part} reports more free than total blocks`);
  const unit = blockBytes(usage);
  if (unit !== undefined) {
    read.values[`disk${part}UsedBytes`] = used * unit;
    read.values[`disk${part}FreeBytes`] = bavail * unit;
  }
  read.values[`disk${part}UsedPercent`] = (100 * used) / (used + bavail);
  // File systems that create inodes on demand (FAT, btrfs) report 0.
  if (files > 0) read.values[`disk${part}InodesUsedPercent`] = (100 * (files - ffree)) / files;
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

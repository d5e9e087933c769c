/**
 * Converts the usage of a file system to values of its keys: `diskRootUsedBytes` for the one named `Root`.
 */

import { InvalidValueError } from '../files/errors.ts';
import type { FileSystemUsage } from '../files/host-files.ts';
import type { Measurements } from '../runtime/collector.ts';

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

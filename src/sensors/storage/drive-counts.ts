/**
 * The drives below /sys/block, and their counters in /proc/diskstats (Documentation/admin-guide/iostats.rst).
 * An NVMe drive with several controllers is `nvme0n1`, and has a hidden block device for each path to it, such
 * as `nvme0c1n1`. Older kernels count only at the paths, newer ones at the drive too.
 */

import type { HostFiles } from '../files/host-files.ts';
import { listOptional, readOptional } from '../files/optional-files.ts';
import { InvalidValueError, invalidCounter, parseCounters } from '../files/parse.ts';

/** Each key permanently occupies an entry of the server's key dictionary. */
const DRIVES_MAX = 8;
const IGNORED_DRIVES = /^(sr|fd|loop|ram|zram|dm-|md|nbd)\d|^mmcblk\d+(boot\d|rpmb|gp\d)/;
const NVME_PATH = /^(nvme\d+)c\d+(n\d+)$/;

export interface DriveNames {
  /** As in /proc/diskstats. */
  readonly name: string;
  /** The names of its paths; usually none. */
  readonly paths: readonly string[];
}

/** The physical drives, sorted by name. */
export function findDrives(hostFiles: HostFiles): readonly DriveNames[] {
  const devices = listOptional(hostFiles, 'sys/block')
    .filter((name) => !IGNORED_DRIVES.test(name) && hostFiles.has(`sys/block/${name}/device`))
    .toSorted();
  const paths = devices.filter((name) => NVME_PATH.test(name));
  return devices
    .filter((name) => !paths.includes(name) && !isHidden(hostFiles, name))
    .slice(0, DRIVES_MAX)
    .map((name) => ({ name, paths: paths.filter((path) => path.replace(NVME_PATH, '$1$2') === name) }));
}

/** A hidden device can be read by the kernel only, as a part of another one. */
function isHidden(hostFiles: HostFiles, name: string): boolean {
  try {
    return readOptional(hostFiles, `sys/block/${name}/hidden`) === '1';
  } catch {
    return false;
  }
}

/** The counters of a line, and the column of each behind the name. */
const COLUMNS = {
  reads: 0,
  sectorsRead: 2,
  readingMs: 3,
  writes: 4,
  sectorsWritten: 6,
  writingMs: 7,
  busyMs: 9,
} as const;

export type DriveCounter = keyof typeof COLUMNS;
export const DRIVE_COUNTERS = Object.keys(COLUMNS) as readonly DriveCounter[];
const COLUMN_NUMBERS: readonly number[] = Object.values(COLUMNS);

export interface DriveCounts {
  /** In the order of DRIVE_COUNTERS; NaN for an invalid one. */
  readonly counts: readonly number[];
  /** Of the first invalid counter. */
  readonly problem: Error | undefined;
}

/** Undefined if neither the drive nor a path has a line. Throws if one of them has several. */
export function readCounts(diskstats: string, { name, paths }: DriveNames): DriveCounts | undefined {
  const own = readLine(diskstats, name);
  if (paths.length === 0 || own?.counts.some((count) => count > 0)) return own;
  const ofPaths = paths.flatMap((path) => readLine(diskstats, path) ?? []);
  return ofPaths.reduce<DriveCounts | undefined>(sumOf, undefined) ?? own;
}

function sumOf(sum: DriveCounts | undefined, { counts, problem }: DriveCounts): DriveCounts {
  if (sum === undefined) return { counts, problem };
  return {
    counts: counts.map((count, at) => combine(sum.counts[at] ?? 0, count, DRIVE_COUNTERS[at])),
    problem: sum.problem ?? problem,
  };
}

/** Two paths that are busy at once do not make the drive busy for twice the time. */
function combine(a: number, b: number, counter: DriveCounter | undefined): number {
  return counter === 'busyMs' ? Math.max(a, b) : a + b;
}

function readLine(diskstats: string, name: string): DriveCounts | undefined {
  const label = ` ${name} `;
  const at = diskstats.indexOf(label);
  if (at === -1) return undefined;
  if (diskstats.includes(label, at + 1))
    throw new InvalidValueError(`/proc/diskstats has several lines "${name}"`);
  const line = diskstats.slice(at + label.length, diskstats.indexOf('\n', at));
  const fields = parseCounters(line);
  const counts = COLUMN_NUMBERS.map((column) => fields[column] ?? Number.NaN);
  const invalid = counts.findIndex(Number.isNaN);
  const problem =
    invalid === -1
      ? undefined
      : invalidCounter(line, COLUMN_NUMBERS[invalid] ?? 0, `a field of ${name} in /proc/diskstats`);
  return { counts, problem };
}

/**
 * Drives: what each physical disk, card or eMMC reads and writes, how busy it is, and how much has been written to it, which is
 * what wears out flash.
 *
 * Physical is what has a device behind it in /sys: no partition, loop, RAM disk, mapping or array, which would count the same bytes
 * again; nor the boot and replay-protected areas of an eMMC, which are part of it, nor optical and floppy drives. A sector in
 * these counts is 512 bytes, whatever the drive's is. A drive in its first sample, or whose counters began again, has no rates
 * in that round (rate.ts).
 */

import { CounterRates, type Counts } from '../devices/counter-rates.ts';
import { Discovery } from '../devices/discovery.ts';
import { keyParts } from '../devices/keys.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional, readOptional, readOptionalLines } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type {
  CatalogueEntry,
  Collect,
  Collector,
  KeyFilter,
  MonotonicClock,
  NumberEntry,
} from '../runtime/collector.ts';

const BYTES_PER_S_MAX = 50_000_000_000;
const SECTOR_BYTES = 512;

export const drives: Collector = {
  name: 'drives',
  catalogue: [
    entry('drive*WrittenBytes', 'B', 2 ** 60, 'bytes written to the drive since the host started', 'default'),
    entry(
      'drive*ReadBytesPerS',
      'B/s',
      BYTES_PER_S_MAX,
      'bytes read from the drive per second, since the previous sample',
    ),
    entry(
      'drive*WrittenBytesPerS',
      'B/s',
      BYTES_PER_S_MAX,
      'bytes written to the drive per second, since the previous sample',
    ),
    entry('drive*BusyPercent', '%', 100, 'share of time the drive was busy, since the previous sample'),
    entry(
      'drive*LatencyMs',
      'ms',
      3_600_000,
      'average time from a request to its completion, since the previous sample; absent without requests',
    ),
  ],
  open: openDrives,
};

/** The counters, and their field of /proc/diskstats, in which three come before "field 1" of the document. */
const FIELDS = {
  reads: 3,
  sectorsRead: 5,
  readingMs: 6,
  writes: 7,
  sectorsWritten: 9,
  writingMs: 10,
  busyMs: 12,
} as const;

type Counter = keyof typeof FIELDS;

const REQUESTS = 1_000_000;
const SECTORS = 2_000_000;
/** Always 32 bits, so they wrap every 50 days of it. Many requests may wait at once, and each counts its own time. */
const WAITING_MS = 256_000;

const PER_S_MAX: Counts<Counter> = {
  reads: REQUESTS,
  sectorsRead: SECTORS,
  readingMs: WAITING_MS,
  writes: REQUESTS,
  sectorsWritten: SECTORS,
  writingMs: WAITING_MS,
  busyMs: 1_100,
};

/** Keys cost the server a dictionary entry each, for ever. */
const DRIVES_MAX = 8;
const IGNORED_DRIVES = /^(sr|fd|loop|ram|zram|dm-|md|nbd)\d|^mmcblk\d+(boot\d|rpmb|gp\d)/;

interface Drive {
  /** As in /proc/diskstats. */
  readonly name: string;
  readonly part: string;
  readonly rates: CounterRates<Counter>;
}

function openDrives(hostFiles: HostFiles, clock: MonotonicClock, isSelected: KeyFilter): Collect {
  const wantsRates = ['ReadBytesPerS', 'WrittenBytesPerS', 'BusyPercent', 'LatencyMs'].some((rate) =>
    isSelected(`drive*${rate}`),
  );
  const drivesByName = new Map<string, Drive>();
  const discovery = new Discovery(clock, () => findDrives(hostFiles, drivesByName));
  return () => {
    const lines = readOptionalLines(hostFiles, 'proc/diskstats');
    if (lines === undefined) return {};
    const atMs = clock.monotonicMs();
    const measurements: Record<string, number | undefined> = {};
    for (const { name, part, rates } of discovery.current) {
      const line = lines.find((candidate) => candidate.includes(` ${name} `));
      if (line === undefined) {
        // It was pulled out; what comes in its place has counters of its own.
        drivesByName.delete(name);
        discovery.invalidate();
        continue;
      }
      const counts = countsOf(line);
      measurements[`drive${part}WrittenBytes`] = counts.sectorsWritten * SECTOR_BYTES;
      if (!wantsRates) continue;
      const identity = readOptional(hostFiles, `sys/block/${name}/diskseq`);
      const perS = rates.next(counts, atMs, identity);
      if (perS !== undefined) Object.assign(measurements, ratesOf(part, perS));
    }
    return measurements;
  };
}

/** Those there now, in the order of their names; what is known of them is kept in `known`. */
function findDrives(hostFiles: HostFiles, drivesByName: Map<string, Drive>): readonly Drive[] {
  const names = listOptional(hostFiles, 'sys/block')
    .filter((name) => !IGNORED_DRIVES.test(name) && hostFiles.has(`sys/block/${name}/device`))
    .toSorted()
    .slice(0, DRIVES_MAX);
  for (const missing of [...drivesByName.keys()].filter((name) => !names.includes(name)))
    drivesByName.delete(missing);
  for (const [name, part] of keyParts(names)) {
    if (!drivesByName.has(name)) drivesByName.set(name, { name, part, rates: new CounterRates(PER_S_MAX) });
  }
  return [...drivesByName.values()];
}

function countsOf(line: string): Counts<Counter> {
  const fields = line.trim().split(/\s+/);
  const counts = Object.entries(FIELDS).map(([counter, field]) => [
    counter,
    parseNatural(fields[field], 'a field of /proc/diskstats'),
  ]);
  return Object.fromEntries(counts) as Counts<Counter>;
}

function ratesOf(part: string, perS: Counts<Counter>): Readonly<Record<string, number | undefined>> {
  const requests = perS.reads + perS.writes;
  return {
    [`drive${part}ReadBytesPerS`]: perS.sectorsRead * SECTOR_BYTES,
    [`drive${part}WrittenBytesPerS`]: perS.sectorsWritten * SECTOR_BYTES,
    // Counted in ticks of the kernel's clock, so it may seem busy for a little more than all of the time.
    [`drive${part}BusyPercent`]: Math.min(100, perS.busyMs / 10),
    [`drive${part}LatencyMs`]: requests > 0 ? (perS.readingMs + perS.writingMs) / requests : undefined,
  };
}

function entry(
  key: string,
  unit: NumberEntry['unit'],
  max: number,
  meaning: string,
  profile: NumberEntry['profile'] = 'full',
): CatalogueEntry {
  const decimals = unit === '%' || unit === 'ms' ? 1 : 0;
  const source = 'Documentation/admin-guide/iostats.rst';
  return { key, type: 'number', profile, unit, min: 0, max, decimals, meaning, source };
}

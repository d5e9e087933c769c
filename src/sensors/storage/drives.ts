/**
 * I/O rates of each physical drive, and the bytes written to it, which wear out flash. Physical drives have a
 * device in /sys: no partitions, loops, RAM disks, mappings or arrays, which would count the same bytes
 * twice, no boot or replay-protected areas of an eMMC, no optical or floppy drives. There are no rates in the
 * first sample and after a reset (counter-rates.ts).
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
/** Unit of /proc/diskstats, whatever the sector size of the drive. */
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

/** Index of each counter in /proc/diskstats, where three fields precede "field 1" of the document. */
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
/**
 * ms a second: many requests can wait at once, and each counts its own time. 32 bits, so it wraps after 50
 * days of waiting.
 */
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

/** Each key permanently occupies an entry of the server's key dictionary. */
const DRIVES_MAX = 8;
const IGNORED_DRIVES = /^(sr|fd|loop|ram|zram|dm-|md|nbd)\d|^mmcblk\d+(boot\d|rpmb|gp\d)/;

interface Drive {
  /** As in /proc/diskstats. */
  readonly name: string;
  readonly part: string;
  readonly rates: CounterRates<Counter>;
}

function openDrives(hostFiles: HostFiles, clock: MonotonicClock, isSelected: KeyFilter): Collect {
  const needsRates = ['ReadBytesPerS', 'WrittenBytesPerS', 'BusyPercent', 'LatencyMs'].some((rate) =>
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
        // The drive was removed; a successor has its own counters.
        drivesByName.delete(name);
        discovery.invalidate();
        continue;
      }
      const counts = countsOf(line);
      measurements[`drive${part}WrittenBytes`] = counts.sectorsWritten * SECTOR_BYTES;
      if (!needsRates) continue;
      const identity = readOptional(hostFiles, `sys/block/${name}/diskseq`);
      const perS = rates.next(counts, atMs, identity);
      if (perS !== undefined) Object.assign(measurements, ratesOf(part, perS));
    }
    return measurements;
  };
}

/** The drives present, by name. Adds new ones to `drivesByName` and removes missing ones. */
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
    // Counted in ticks of the kernel, so it can exceed 100 % slightly.
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

/**
 * I/O rates of each physical drive, and the bytes written to it, which wear out flash. Physical drives have a
 * device in /sys: no partitions, loops, RAM disks, mappings or arrays, which would count the same bytes
 * twice, no boot or replay-protected areas of an eMMC, no optical or floppy drives (drive-counts.ts). There are
 * no rates in the first sample and after a reset (counter-rates.ts), and an invalid counter costs only the
 * values that are calculated from it.
 */

import { ConfirmedCount } from '../devices/confirmed-count.ts';
import { CounterRates, type Rates } from '../devices/counter-rates.ts';
import { Discovery } from '../devices/discovery.ts';
import { keyParts } from '../devices/keys.ts';
import type { HostFiles } from '../files/host-files.ts';
import { readOptional, readOrDefault } from '../files/optional-files.ts';
import { checkWhole, InvalidValueError } from '../files/parse.ts';
import type {
  CatalogueEntry,
  Collect,
  Collector,
  KeyFilter,
  Measurements,
  MonotonicClock,
  NumberEntry,
} from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';
import {
  DRIVE_COUNTERS,
  type DriveCounter,
  type DriveCounts,
  findDrives,
  readCounts,
} from './drive-counts.ts';

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
  notes: [
    'A counter that runs back, returns to where it was, or moves faster than the drive can gives no rate: 1 GB/s for a card or an eMMC, 16 GB/s for others.',
    'The bytes written are absent for one sample if they are lower than before.',
    'The paths of an NVMe drive with several controllers (nvme0c1n1) are counted as the drive (nvme0n1).',
  ],
  open: openDrives,
};

const REQUESTS_PER_S_MAX = 1_000_000;
const SECTORS_PER_S_MAX = 2_000_000;
/** Many requests can wait at once, and each counts its own time. 32 bits: it wraps after 50 days of waiting. */
const WAITING_MS_PER_S_MAX = 256_000;
/** Counted in ticks of the kernel, so it can exceed the time slightly. */
const BUSY_MS_PER_S_MAX = 1_100;
const CARD = /^mmcblk/;
/** NVMe drives and the disks of virtual machines are faster than cards, up to this many times. */
const SPEED_OF_OTHERS = 16;

function perSMax(counter: DriveCounter, speed: number): number {
  if (counter === 'busyMs') return BUSY_MS_PER_S_MAX;
  if (counter.endsWith('Ms')) return WAITING_MS_PER_S_MAX * speed;
  return (counter.startsWith('sectors') ? SECTORS_PER_S_MAX : REQUESTS_PER_S_MAX) * speed;
}

/** One drive that was found. */
class DriveMeter {
  readonly #name: string;
  readonly #part: string;
  readonly #written: ConfirmedCount;
  readonly #rates: CounterRates;
  /** It has had a line in /proc/diskstats. */
  isCounted = false;

  constructor(name: string, part: string) {
    const speed = CARD.test(name) ? 1 : SPEED_OF_OTHERS;
    this.#name = name;
    this.#part = part;
    this.#written = new ConfirmedCount(SECTORS_PER_S_MAX * speed);
    this.#rates = new CounterRates(DRIVE_COUNTERS.map((counter) => perSMax(counter, speed)));
  }

  /** Adds the bytes written. */
  addWritten({ counts, problem }: DriveCounts, atMs: number, read: PartialRead): void {
    if (problem !== undefined) read.fail(this.#name, problem);
    const sectors = counts[DRIVE_COUNTERS.indexOf('sectorsWritten')] ?? Number.NaN;
    if (Number.isNaN(sectors)) return;
    const written = this.#written.next(sectors, atMs);
    if (written !== undefined) read.values[`drive${this.#part}WrittenBytes`] = written * SECTOR_BYTES;
  }

  /** Adds the rates. `identity` tells two drives of one name apart. */
  addRates({ counts }: DriveCounts, atMs: number, identity: string | undefined, read: PartialRead): void {
    const perS = this.#rates.next(counts, atMs, identity);
    if (perS !== undefined) Object.assign(read.values, ratesOf(this.#part, perS));
    if (!this.#rates.isBroken) return;
    const reason = `a counter of ${this.#name} in /proc/diskstats runs back or jumps in each sample`;
    read.fail(this.#name, new InvalidValueError(reason));
  }
}

function openDrives(hostFiles: HostFiles, clock: MonotonicClock, isSelected: KeyFilter): Collect {
  const needsRates = ['ReadBytesPerS', 'WrittenBytesPerS', 'BusyPercent', 'LatencyMs'].some((each) =>
    isSelected(`drive*${each}`),
  );
  const meters = new Map<string, DriveMeter>();
  const discovery = new Discovery(clock, () => {
    const found = findDrives(hostFiles);
    const parts = keyParts(found.map(({ name }) => name));
    for (const name of meters.keys()) if (!parts.has(name)) meters.delete(name);
    for (const [name, part] of parts) if (!meters.has(name)) meters.set(name, new DriveMeter(name, part));
    return found;
  });
  return () => {
    const diskstats = readOrDefault(() => hostFiles.read('proc/diskstats'), '');
    if (diskstats === '') return {};
    checkWhole(diskstats, 'proc/diskstats');
    const atMs = clock.monotonicMs();
    const read = new PartialRead();
    for (const names of discovery.current) {
      const { name } = names;
      read.attempt(name, () => {
        const meter = meters.get(name);
        if (meter === undefined) return undefined;
        const counts = readCounts(diskstats, names);
        if (counts === undefined) {
          // The drive was removed; a successor has its own counters.
          if (!meter.isCounted) return undefined;
          meters.delete(name);
          discovery.invalidate();
          return undefined;
        }
        meter.isCounted = true;
        meter.addWritten(counts, atMs, read);
        if (needsRates)
          meter.addRates(counts, atMs, readOptional(hostFiles, `sys/block/${name}/diskseq`), read);
        return undefined;
      });
    }
    return read.result();
  };
}

/** A rate for which a counter is missing is absent. */
function ratesOf(part: string, perS: Rates): Measurements {
  const [reads, sectorsRead, readingMs, writes, sectorsWritten, writingMs, busyMs] = perS;
  const requests = sum(reads, writes);
  const waitingMs = sum(readingMs, writingMs);
  return {
    [`drive${part}ReadBytesPerS`]: sectorsRead && sectorsRead * SECTOR_BYTES,
    [`drive${part}WrittenBytesPerS`]: sectorsWritten && sectorsWritten * SECTOR_BYTES,
    [`drive${part}BusyPercent`]: busyMs && Math.min(100, busyMs / 10),
    [`drive${part}LatencyMs`]: requests && waitingMs !== undefined ? waitingMs / requests : undefined,
  };
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
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

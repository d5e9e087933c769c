/**
 * Usage of the file systems beside the root (mount-table.ts). A call can hang permanently, on a removed USB
 * stick for example. The calls run one after another, each with a timeout; a mount that hangs is left out and
 * not read again until the call has returned. A hanging call occupies one of two threads (blocking-reads.ts):
 * while two hang, no mount is read.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorCode } from '../../core/model/error-code.ts';
import { keyParts } from '../devices/keys.ts';
import type { FileSystemUsage, HostFiles } from '../files/host-files.ts';
import type { CatalogueEntry, Collect, Collector, NumberEntry, SensorClock } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';
import { addUsageValues, USAGE_NOTE } from './filesystem.ts';
import { type Mount, MountTable } from './mount-table.ts';

const BYTES_MAX = 2 ** 63;
const SOURCE = 'statfs(2); proc_pid_mountinfo(5)';

export const mounts: Collector = {
  name: 'mounts',
  catalogue: [
    entry('disk*UsedBytes', 'B', 'bytes used on the mounted file system'),
    entry('disk*FreeBytes', 'B', 'bytes that unprivileged programs can still write to the file system'),
    // Before `disk*UsedPercent`, whose pattern would cover this key.
    entry(
      'disk*InodesUsedPercent',
      '%',
      'share of its inodes in use; absent if the file system has no inode limit',
    ),
    entry('disk*UsedPercent', '%', 'share of the file system in use'),
    {
      key: 'disk*ReadOnly',
      type: 'flag',
      profile: 'full',
      meaning: 'the file system is read-only, by configuration or after an error',
      source: SOURCE,
    },
  ],
  notes: [USAGE_NOTE],
  open: openMounts,
};

/** Each key permanently occupies an entry of the server's key dictionary. */
const MOUNTS_MAX = 16;

function openMounts(hostFiles: HostFiles, clock: SensorClock): Collect {
  const mountTable = new MountTable(hostFiles);
  const usageReader = new UsageReader(hostFiles, clock);
  return async () => {
    const read = new PartialRead();
    const { mounts: table = [], problem } = mountTable.read();
    if (problem !== undefined) read.fail('mount table', problem);
    const all = table.filter(({ point }) => point !== '/').slice(0, MOUNTS_MAX);
    const parts = keyParts(
      all.map(({ point }) => point),
      ['Root'],
    );
    for (const mount of all) {
      const part = parts.get(mount.point);
      if (part !== undefined) await addMount(mount, part, usageReader, read);
    }
    return read.result();
  };
}

async function addMount(
  { point, isReadOnly }: Mount,
  part: string,
  usageReader: UsageReader,
  read: PartialRead,
): Promise<void> {
  const readOnlyKey = `disk${part}ReadOnly`;
  read.values[readOnlyKey] = isReadOnly;
  try {
    const usage = await usageReader.read(point);
    if (usage === 'timed-out') throw new Error(`the file system at ${point} has not responded`);
    addUsageValues(part, usage, read);
  } catch (error) {
    // Unmounted since the table was read, or the agent may not access it.
    if (isInaccessible(error)) delete read.values[readOnlyKey];
    else read.fail(point, error);
  }
}

const TIMEOUT_MS = 750;
const HANGING_MAX = 2;

/** Reads the usage of mounts, and remembers the calls that hang. */
class UsageReader {
  readonly #hostFiles: HostFiles;
  readonly #clock: SensorClock;
  readonly #hanging = new Set<Mount['point']>();

  constructor(hostFiles: HostFiles, clock: SensorClock) {
    this.#hostFiles = hostFiles;
    this.#clock = clock;
  }

  /** Rejects with the error of the system call. */
  async read(point: Mount['point']): Promise<FileSystemUsage | 'timed-out'> {
    if (this.#hanging.has(point) || this.#hanging.size >= HANGING_MAX) return 'timed-out';
    this.#hanging.add(point);
    const usage = this.#usage(point).finally(() => this.#hanging.delete(point));
    // A rejection after the timeout has no other handler.
    usage.catch(() => {});
    // A healthy file system has usually responded after this turn, and a timer is not needed.
    await nextTurn();
    if (!this.#hanging.has(point)) return usage;
    const timerAbort = new AbortController();
    const timedOut = this.#clock.sleep(TIMEOUT_MS, timerAbort.signal).then(() => 'timed-out' as const);
    try {
      return await Promise.race([usage, timedOut]);
    } finally {
      timerAbort.abort();
    }
  }

  async #usage(point: Mount['point']): Promise<FileSystemUsage> {
    return this.#hostFiles.usage(point);
  }
}

function isInaccessible(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES';
}

function entry(key: string, unit: NumberEntry['unit'], meaning: string): CatalogueEntry {
  const isPercent = unit === '%';
  const bounds = { min: 0, max: isPercent ? 100 : BYTES_MAX, decimals: isPercent ? 1 : 0 };
  return { key, type: 'number', profile: 'full', unit, ...bounds, meaning, source: SOURCE };
}

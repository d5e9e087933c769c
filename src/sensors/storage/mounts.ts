/**
 * Mounts: space and state of the file systems beside the root that are on storage of the host's own (mount-table.ts).
 *
 * Asking one may hang for ever: a USB stick that was pulled, a disk that no longer answers. Each is therefore asked on its own,
 * one after the other, and waited for three quarters of a second; one that has not answered is not asked again until it has, and is meanwhile
 * left out, beside the others that are well. Each call that hangs holds one of the two threads there are for that (slow-reads.ts):
 * while two hang, no other mount is asked.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorCode } from '../../core/model/error-code.ts';
import { keyParts } from '../devices/keys.ts';
import { asError } from '../files/errors.ts';
import type { FileSystemUsage, HostFiles } from '../files/host-files.ts';
import {
  type CatalogueEntry,
  type Collect,
  type Collector,
  type Measurements,
  type NumberEntry,
  PartialReadError,
  type SensorClock,
} from '../runtime/collector.ts';
import { type Mount, MountTable } from './mount-table.ts';
import { usageValues } from './usage.ts';

const BYTES_MAX = 2 ** 63;
const SOURCE = 'statfs(2); proc_pid_mountinfo(5)';

export const mounts: Collector = {
  name: 'mounts',
  catalogue: [
    entry('disk*UsedBytes', 'B', 'bytes used on the mounted file system'),
    entry('disk*FreeBytes', 'B', 'bytes that unprivileged programs can still write to the file system'),
    // Before the next one, whose pattern would take its keys for its own.
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
  open: openMounts,
};

/** Keys cost the server a dictionary entry each, for ever. */
const MOUNTS_MAX = 16;

function openMounts(hostFiles: HostFiles, clock: SensorClock): Collect {
  const table = new MountTable(hostFiles);
  const usageReader = new UsageReader(hostFiles, clock);
  return async () => {
    const all = (table.read() ?? []).filter(({ point }) => point !== '/').slice(0, MOUNTS_MAX);
    const parts = keyParts(
      all.map(({ point }) => point),
      ['Root'],
    );
    const values: Record<string, Measurements[string]> = {};
    const failures = new Map<string, Error>();
    for (const { point, isReadOnly } of all) {
      const part = parts.get(point);
      if (part === undefined) continue;
      values[`disk${part}ReadOnly`] = isReadOnly;
      try {
        const usage = await usageReader.read(point);
        if (usage === 'timed-out')
          failures.set(point, new Error(`the file system at ${point} has not responded`));
        else Object.assign(values, usageValues(part, usage));
      } catch (error) {
        // Gone since the table was read, or somewhere we may not look.
        if (!isInaccessible(error)) failures.set(point, asError(error));
        delete values[`disk${part}ReadOnly`];
      }
    }
    if (failures.size > 0) throw new PartialReadError(values, failures);
    return values;
  };
}

const TIMEOUT_MS = 750;
const HANGING_MAX = 2;

/** Asks mounts for their space, and remembers which of them have not answered. */
class UsageReader {
  readonly #tree: HostFiles;
  readonly #clock: SensorClock;
  readonly #hanging = new Set<Mount['point']>();

  constructor(hostFiles: HostFiles, clock: SensorClock) {
    this.#tree = hostFiles;
    this.#clock = clock;
  }

  /** Rejects with what the system call says. */
  async read(point: Mount['point']): Promise<FileSystemUsage | 'timed-out'> {
    if (this.#hanging.has(point) || this.#hanging.size >= HANGING_MAX) return 'timed-out';
    this.#hanging.add(point);
    const usage = this.#tree.usage(point).finally(() => this.#hanging.delete(point));
    // Nobody listens any more to one that fails later.
    usage.catch(() => {});
    // A healthy one has mostly answered by now, and needs no timer to be told apart from a dead one.
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

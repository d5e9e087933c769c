/**
 * How often the agent has started in this boot: one line in the runtime directory, which is in memory and
 * empty after a boot.
 *
 * The line holds the boot ID, because the /run of a container can outlive the boot. It is replaced by a
 * rename. Synchronous, because it happens once, before the loops start.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE_NAME = 'starts.json';
/** One every 5 s (the unit's RestartSec=) for 15 years; a larger count is damage. */
const STARTS_MAX = 100_000_000;

export interface StartCountOptions {
  /** systemd's $RUNTIME_DIRECTORY. */
  readonly directory: string;
  readonly bootId: string;
}

/** Counts this start and returns how many came before it in this boot; undefined if that fails. */
export function countRestarts({ directory, bootId }: StartCountOptions): number | undefined {
  const file = join(directory, FILE_NAME);
  try {
    const before = readStarts(file, bootId);
    writeFileSync(`${file}.new`, JSON.stringify({ boot: bootId, starts: before + 1 }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return before;
  } catch {
    return undefined;
  }
}

/** 0 for the file of another boot, and for a missing or damaged one. */
function readStarts(file: string, bootId: string): number {
  try {
    const line: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof line !== 'object' || line === null || !('boot' in line) || line.boot !== bootId) return 0;
    return 'starts' in line && isCount(line.starts) ? line.starts : 0;
  } catch {
    return 0;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < STARTS_MAX;
}

/**
 * How often the agent has started in this boot: a file of one line in the runtime directory, which is memory, gone with the boot.
 *
 * Bound to the boot's name, for a container whose /run outlives it, and written whole beside the old one and renamed. Synchronous,
 * as it is done once, before the loops begin.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE_NAME = 'starts.json';
/** One every 5 s (the unit's RestartSec=) for years; more is damage. */
const STARTS_MAX = 100_000_000;

export interface StartCountOptions {
  /** systemd's $RUNTIME_DIRECTORY. */
  readonly directory: string;
  readonly bootId: string;
}

/** Counts this start; says how many there were before it in this boot, or nothing where no count can be kept. */
export function countRestarts({ directory, bootId }: StartCountOptions): number | undefined {
  const file = join(directory, FILE_NAME);
  try {
    const before = startsIn(file, bootId);
    writeFileSync(`${file}.new`, JSON.stringify({ boot: bootId, starts: before + 1 }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return before;
  } catch {
    return undefined;
  }
}

/** 0 of another boot's file, and of what is no line of ours. */
function startsIn(file: string, bootId: string): number {
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

/**
 * Keeps the offsets of the clock over a restart of the agent: one line in the runtime directory (in memory).
 *
 * The line holds the boot ID, because the /run of a container can outlive the boot. It is replaced by a
 * rename, so a killed process leaves the old or the new line. Synchronous: the write is 120 bytes to memory,
 * and no reading may get a timestamp before it is done.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logEvent } from '../../core/events/catalogue.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { OffsetMemory, StoredOffsets } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';

const FILE_NAME = 'clock.json';
/** The year 2100, Unix ms: a larger offset is damage. */
const OFFSET_MS_MAX = 4_102_444_800_000;

export interface OffsetMemoryOptions {
  /** systemd's $RUNTIME_DIRECTORY. */
  readonly directory: string;
  readonly bootId: string;
  readonly log: Logger;
}

export function createOffsetMemory({ directory, bootId, log }: OffsetMemoryOptions): OffsetMemory {
  const file = join(directory, FILE_NAME);
  let isFailureLogged = false;
  return {
    load() {
      try {
        return parseOffsets(readFileSync(file, 'utf8'), bootId);
      } catch {
        return undefined;
      }
    },
    save(offsets) {
      try {
        writeFileSync(`${file}.new`, JSON.stringify({ boot: bootId, ...offsets }), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        if (isFailureLogged) return;
        isFailureLogged = true;
        logEvent(log, 'FL-CLOCK-STATE-WRITE-FAILED', { detail: errorMessage(error) });
      }
    },
  };
}

/** Undefined for another boot, or if the line is damaged. */
function parseOffsets(text: string, bootId: string): StoredOffsets | undefined {
  const line: unknown = JSON.parse(text);
  if (typeof line !== 'object' || line === null || !('boot' in line) || line.boot !== bootId)
    return undefined;
  if (!('firstMs' in line) || !isOffset(line.firstMs)) return undefined;
  if (!('believedMs' in line)) return { firstMs: line.firstMs };
  if (!isOffset(line.believedMs)) return undefined;
  const savedBootMs = 'savedBootMs' in line ? line.savedBootMs : undefined;
  return {
    firstMs: line.firstMs,
    believedMs: line.believedMs,
    ...(typeof savedBootMs === 'number' && { savedBootMs }),
  };
}

/** An accepted clock shows a date after 1970, so its offset is positive. */
function isOffset(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < OFFSET_MS_MAX;
}

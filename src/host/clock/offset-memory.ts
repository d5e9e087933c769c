/**
 * The memory of the clock's offset, in the runtime directory: a file of one line, gone with the boot and never on the flash.
 *
 * Written whole beside the old one and renamed, so a process that is killed leaves the one or the other. Bound to the boot's name,
 * for a container whose /run outlives it. Synchronous: the file system is memory, the line is 120 bytes, and nothing may be
 * dated before it is there.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logEvent } from '../../core/events/catalogue.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { OffsetMemory, StoredOffsets } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';

const FILE_NAME = 'clock.json';
/** 2100: beyond it an offset is no date but damage, ms. */
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

/** Nothing for another boot's, and for what is no line of ours. */
function parseOffsets(text: string, bootId: string): StoredOffsets | undefined {
  const line: unknown = JSON.parse(text);
  if (typeof line !== 'object' || line === null || !('boot' in line) || line.boot !== bootId)
    return undefined;
  if (!('firstMs' in line) || !isOffset(line.firstMs)) return undefined;
  if (!('believedMs' in line)) return { firstMs: line.firstMs };
  return isOffset(line.believedMs) ? { firstMs: line.firstMs, believedMs: line.believedMs } : undefined;
}

/** Clocks that are believed were set after 1970. */
function isOffset(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < OFFSET_MS_MAX;
}

/**
 * Moves the overflow and newer readings to the disk, in batches. What cannot be written is in the overflow afterwards.
 */

import type { Reading, Values } from '../core/model/reading.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { DiskStateLog } from './disk-state-log.ts';
import type { MemoryStore } from './memory/memory-store.ts';
import { carryForward, toFull } from './store/carry-forward.ts';
import { OutboxError, type ReadingStore } from './store/reading-store.ts';

export class Flusher {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #overflow: MemoryStore;
  readonly #diskLog: DiskStateLog;
  #inTransit = 0;
  #failedAtMs = 0;

  constructor(clock: Pick<Clock, 'bootMs'>, overflow: MemoryStore, diskLog: DiskStateLog) {
    this.#clock = clock;
    this.#overflow = overflow;
    this.#diskLog = diskLog;
  }

  /** Readings that are in no store during a flush; negative for those that are in two. */
  get inTransit(): number {
    return this.#inTransit;
  }

  /** When a write last failed, ms since the boot. */
  get failedAtMs(): number {
    return this.#failedAtMs;
  }

  /**
   * True if all readings were written. Rejects only with errors other than OutboxError. The overflow must not be read
   * meanwhile, because its readings are in both stores before they are removed from it.
   */
  async flush(fresh: readonly Reading[], disk: ReadingStore): Promise<boolean> {
    const readings = [...this.#overflow.list(), ...fresh];
    if (readings.length === 0) return true;
    this.#inTransit = fresh.length;
    let written = 0;
    let batch: readonly Reading[] = [];
    try {
      for (batch of batches(readings)) {
        await disk.append(batch);
        written += batch.length;
        this.#inTransit -= batch.length;
      }
      this.#overflow.drain();
      this.#diskLog.onWritten(readings.length);
      return true;
    } catch (error) {
      if (!(error instanceof OutboxError)) throw error;
      this.#failedAtMs = this.#clock.bootMs();
      // An attempt that wrote nothing must not void the batches in flight: a reading that the server refuses would never be
      // counted as lost. In their original form, because each attempt would make them larger; but the first must be full.
      if (written > 0) this.#overflow.drain();
      const rest = written > 0 ? [...batch, ...readings.slice(written + batch.length)] : fresh;
      await this.#overflow.append(rest);
      this.#diskLog.onFailed(error);
      return false;
    } finally {
      this.#inTransit = 0;
    }
  }
}

/** About one segment of typical readings. */
const READINGS_MAX = 256;

function* batches(readings: readonly Reading[]): Generator<readonly Reading[]> {
  let before: Values = {};
  for (let from = 0; from < readings.length; from += READINGS_MAX) {
    const batch = readings.slice(from, from + READINGS_MAX);
    const first = batch.findIndex(({ gap }) => !gap);
    const sample = batch[first];
    if (sample && from > 0) batch[first] = toFull(before, sample);
    for (const reading of batch) before = carryForward(before, reading);
    yield batch;
  }
}

/** Moves readings from memory to the disk, in batches; if that fails, the rest goes to the overflow. */

import type { Reading, Values } from '../core/model/reading.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { DiskStateLog } from './disk-state-log.ts';
import { carryForward, toFull } from './store/carry-forward.ts';
import { OutboxError, type ReadingStore } from './store/reading-store.ts';

export class Flusher {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #overflow: ReadingStore;
  readonly #diskLog: DiskStateLog;
  #inTransit = 0;
  #failedAtMs = 0;

  constructor(clock: Pick<Clock, 'bootMs'>, overflow: ReadingStore, diskLog: DiskStateLog) {
    this.#clock = clock;
    this.#overflow = overflow;
    this.#diskLog = diskLog;
  }

  /** Readings that are in neither store during a flush. */
  get inTransit(): number {
    return this.#inTransit;
  }

  /** When a write last failed, ms since the boot. */
  get failedAtMs(): number {
    return this.#failedAtMs;
  }

  /** True if all readings were written. Rejects only with errors other than OutboxError. */
  async flush(readings: readonly Reading[], disk: ReadingStore): Promise<boolean> {
    if (readings.length === 0) return true;
    this.#inTransit = readings.length;
    let batch: readonly Reading[] = [];
    try {
      for (batch of batches(readings)) {
        await disk.append(batch);
        this.#inTransit -= batch.length;
      }
      this.#diskLog.onWritten(readings.length);
      return true;
    } catch (error) {
      if (!(error instanceof OutboxError)) throw error;
      this.#failedAtMs = this.#clock.bootMs();
      // In their original form, because each attempt would make them larger; but the first must be full.
      const rest = readings.slice(readings.length - this.#inTransit + batch.length);
      await this.#overflow.append([...batch, ...rest]);
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

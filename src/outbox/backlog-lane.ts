/**
 * The backlog as one lane over several stores, oldest first: the disk, then readings that could not be
 * written to it.
 *
 * Readings of a store are taken when the stores before it have no more. If one store rewinds, all do.
 */

import type { Reading } from '../core/model/reading.ts';
import type { Lane } from '../core/ports/outbox.ts';

interface Source {
  readonly lane: Lane;
  epoch: number;
  taken: number;
}

export class BacklogLane implements Lane {
  readonly #sources: readonly Source[];
  readonly #onDrained: (readings: number) => void;
  /** During a flush, which moves readings from one store to the other. */
  isPaused = false;
  #epoch = 0;
  /** Acknowledged since the backlog was last empty. */
  #acknowledged = 0;

  /** `onDrained` gets the number of readings acknowledged since the backlog was last empty. */
  constructor(lanes: readonly Lane[], onDrained: (readings: number) => void) {
    this.#onDrained = onDrained;
    this.#sources = lanes.map((lane) => ({ lane, epoch: lane.epoch, taken: 0 }));
  }

  get size(): number {
    return this.#sources.reduce((size, { lane }) => size + lane.size, 0);
  }

  get epoch(): number {
    if (this.#sources.some(({ lane, epoch }) => lane.epoch !== epoch)) this.rewind();
    return this.#epoch;
  }

  async take(max: number): Promise<readonly Reading[]> {
    const { epoch } = this;
    if (this.isPaused) return [];
    for (const source of this.#sources) {
      const readings = await source.lane.take(max);
      if (this.epoch !== epoch) {
        // A rewind meanwhile voids these readings, too: nobody would acknowledge them.
        if (readings.length > 0) this.rewind();
        return [];
      }
      source.taken += readings.length;
      if (readings.length > 0) return readings;
      // It holds readings without a timestamp yet, and the next store holds newer ones.
      if (source.lane.size > source.taken) return [];
    }
    return [];
  }

  async acknowledge(count: number, epoch: number): Promise<void> {
    if (epoch !== this.epoch) return;
    let remaining = count;
    for (const source of this.#sources) {
      const taken = Math.min(remaining, source.taken);
      if (taken === 0) continue;
      source.taken -= taken;
      remaining -= taken;
      this.#acknowledged += taken;
      await source.lane.acknowledge(taken, source.epoch);
    }
    if (count === 0 || this.size > 0) return;
    this.#onDrained(this.#acknowledged);
    this.#acknowledged = 0;
  }

  rewind(): void {
    this.#epoch += 1;
    for (const source of this.#sources) {
      source.lane.rewind();
      source.epoch = source.lane.epoch;
      source.taken = 0;
    }
  }
}

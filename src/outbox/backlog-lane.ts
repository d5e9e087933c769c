/**
 * The backlog as one lane over several stores, the oldest first: what is on the disk, then what the disk would not take.
 *
 * A store's readings are taken when the stores before it have no more. When one of them takes its readings back,
 * all are taken back.
 */

import type { Reading } from '../core/model/reading.ts';
import type { Lane } from '../core/ports/outbox.ts';

interface Part {
  readonly lane: Lane;
  epoch: number;
  taken: number;
}

export class BacklogLane implements Lane {
  readonly #parts: readonly Part[];
  readonly #drained: (readings: number) => void;
  #epoch = 0;
  /** Acknowledged since it was empty. */
  #gone = 0;

  /** `drained` is called when the last reading is acknowledged, with the number of all that went since it was empty. */
  constructor(lanes: readonly Lane[], drained: (readings: number) => void) {
    this.#drained = drained;
    this.#parts = lanes.map((lane) => ({ lane, epoch: lane.epoch, taken: 0 }));
  }

  get size(): number {
    return this.#parts.reduce((size, { lane }) => size + lane.size, 0);
  }

  get epoch(): number {
    if (this.#parts.some(({ lane, epoch }) => lane.epoch !== epoch)) this.rewind();
    return this.#epoch;
  }

  async take(max: number): Promise<readonly Reading[]> {
    const { epoch } = this;
    for (const part of this.#parts) {
      const readings = await part.lane.take(max);
      // Taken back meanwhile: what was just taken goes back with the rest.
      if (this.epoch !== epoch) return [];
      part.taken += readings.length;
      if (readings.length > 0) return readings;
      // It holds some that are not to be had yet, and those behind them are newer.
      if (part.lane.size > part.taken) return [];
    }
    return [];
  }

  async acknowledge(count: number, epoch: number): Promise<void> {
    if (epoch !== this.epoch) return;
    let left = count;
    for (const part of this.#parts) {
      const here = Math.min(left, part.taken);
      if (here === 0) continue;
      part.taken -= here;
      left -= here;
      this.#gone += here;
      await part.lane.acknowledge(here, part.epoch);
    }
    if (count === 0 || this.size > 0) return;
    this.#drained(this.#gone);
    this.#gone = 0;
  }

  rewind(): void {
    this.#epoch += 1;
    for (const part of this.#parts) {
      part.lane.rewind();
      part.epoch = part.lane.epoch;
      part.taken = 0;
    }
  }
}

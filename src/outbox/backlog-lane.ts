/**
 * The backlog as one lane over several stores, the oldest first: what is on the disk, then what the disk would not take.
 *
 * A store's readings are taken when the stores before it have no more. When one of them takes its readings back,
 * all are taken back.
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
  #epoch = 0;
  /** Acknowledged since it was empty. */
  #acknowledged = 0;

  /** `drained` is called when the last reading is acknowledged, with the number of all that went since it was empty. */
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
    for (const source of this.#sources) {
      const readings = await source.lane.take(max);
      // Taken back meanwhile: what was just taken goes back with the rest.
      if (this.epoch !== epoch) return [];
      source.taken += readings.length;
      if (readings.length > 0) return readings;
      // It holds some that are not to be had yet, and those behind them are newer.
      if (source.lane.size > source.taken) return [];
    }
    return [];
  }

  async acknowledge(count: number, epoch: number): Promise<void> {
    if (epoch !== this.epoch) return;
    let left = count;
    for (const source of this.#sources) {
      const taken = Math.min(left, source.taken);
      if (taken === 0) continue;
      source.taken -= taken;
      left -= taken;
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

/**
 * Sliding window of batches over a lane: which readings are in which batch, and the state of each batch.
 *
 * Responses may arrive in any order; the lane is acknowledged in its own order, so that a restart repeats
 * only uncertain readings. A failed batch keeps its bytes, because equal bytes overwrite the same points.
 * When the lane is rewound (`epoch`), all batches are dropped and later responses to them have no effect.
 */

import type { Reading } from '../model/reading.ts';
import type { Lane } from '../ports/outbox.ts';
import { encodeTelemetry } from './encode.ts';

export interface Batch {
  readonly readings: readonly Reading[];
  /** Posted in this order; several if one reading is too large for one body, none if no value fits. */
  readonly bodies: readonly string[];
  readonly oversizedKeys: readonly string[];
  state: 'waiting' | 'in flight' | 'done';
  /** Earliest time to send it, monotonic ms. */
  dueMs: number;
  /** Internal errors for this batch, and those while other batches were accepted. */
  overloads: number;
  overloadsAlone: number;
  /** Accepted messages at the last internal error for this batch. */
  acceptedAtOverload: number;
}

/** Maximum number of readings taken from the lane in advance to fill a body. */
const LOOKAHEAD_MAX = 64;
/** More than one body holds of the smallest usual readings. */
const LOOKAHEAD_MIN = 24;

export class BatchWindow {
  readonly #lane: Lane;
  readonly #batchesMax: number;
  #epoch: number;
  #batches: Batch[] = [];
  #lookahead: Reading[] = [];

  constructor(lane: Lane, batchesMax: number) {
    this.#lane = lane;
    this.#batchesMax = batchesMax;
    this.#epoch = lane.epoch;
  }

  /** Earliest time of all waiting batches, monotonic ms; Infinity if none waits. */
  get dueMs(): number {
    return this.#batches.reduce(
      (dueMs, batch) => (batch.state === 'waiting' ? Math.min(dueMs, batch.dueMs) : dueMs),
      Number.POSITIVE_INFINITY,
    );
  }

  /**
   * The next batch to send: a waiting one without internal errors, else a new one, else one with internal
   * errors that is due. In any other order, a reading that the server never accepts would delay those that it
   * does.
   */
  async next(nowMs: number): Promise<Batch | undefined> {
    if (this.#lane.epoch !== this.#epoch) this.#reset();
    const waiting = this.#batches.filter(({ state, dueMs }) => state === 'waiting' && dueMs <= nowMs);
    const ready = waiting.find(({ overloads }) => overloads === 0);
    if (ready) return ready;
    const [overloaded] = waiting.sort((one, other) => one.dueMs - other.dueMs);
    if (this.#batches.length >= this.#batchesMax) return overloaded;
    if (this.#lookahead.length < LOOKAHEAD_MIN) {
      const added = await this.#lane.take(LOOKAHEAD_MAX - this.#lookahead.length);
      if (this.#lane.epoch !== this.#epoch) return this.next(nowMs);
      this.#lookahead.push(...added);
    }
    if (this.#lookahead.length === 0) return overloaded;
    const batch = createBatch(this.#lookahead);
    this.#lookahead.splice(0, batch.readings.length);
    this.#batches.push(batch);
    return batch;
  }

  /** False after the lane was rewound: then a result of the batch no longer counts. */
  includes(batch: Batch): boolean {
    return this.#lane.epoch === this.#epoch && this.#batches.includes(batch);
  }

  /** Completes the batch and acknowledges all completed batches at the head of the lane. */
  async complete(batch: Batch): Promise<void> {
    batch.state = 'done';
    let count = 0;
    for (let first = this.#batches[0]; first?.state === 'done'; first = this.#batches[0]) {
      count += first.readings.length;
      this.#batches.shift();
    }
    if (count > 0) await this.#lane.acknowledge(count, this.#epoch);
  }

  /** Replaces the batch by its two halves. A batch of one reading must not be split. */
  split(batch: Batch): void {
    const index = this.#batches.indexOf(batch);
    if (index < 0) return;
    const middle = Math.ceil(batch.readings.length / 2);
    const halves = [createBatch(batch.readings.slice(0, middle)), createBatch(batch.readings.slice(middle))];
    this.#batches.splice(index, 1, ...halves);
  }

  /** Drops all batches, because the lane may return their readings again. */
  #reset(): void {
    this.#lane.rewind();
    this.#epoch = this.#lane.epoch;
    this.#batches = [];
    this.#lookahead = [];
  }
}

/** Takes as many of the first readings as fit one body; at least one. */
function createBatch(readings: readonly Reading[]): Batch {
  const { bodies, count, oversizedKeys } = encodeTelemetry(readings);
  return {
    readings: readings.slice(0, count),
    bodies,
    oversizedKeys,
    state: 'waiting',
    dueMs: Number.NEGATIVE_INFINITY,
    overloads: 0,
    overloadsAlone: 0,
    acceptedAtOverload: 0,
  };
}

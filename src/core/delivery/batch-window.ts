/**
 * The window on a lane: which of its readings are in which batch, and how each batch stands.
 *
 * Batches may be answered in any order; the lane is told in its own order, so that a restart repeats what is not
 * certain and nothing else. A batch that is refused stays as it is, because the same bytes overwrite the same
 * points. When the lane takes its readings back (`epoch`), all batches are forgotten; an answer to one of them
 * that comes later changes nothing. Bounds: `batchesMax` batches, `AHEAD_MAX` readings looked ahead at.
 */

import type { Reading } from '../model/reading.ts';
import type { Lane } from '../ports/outbox.ts';
import { encodeTelemetry } from './encode.ts';

export interface Batch {
  readonly readings: readonly Reading[];
  /** To be posted in this order; several only when one reading is too large for one, none when nothing of it fits. */
  readonly bodies: readonly string[];
  readonly oversizedKeys: readonly string[];
  state: 'waiting' | 'in flight' | 'done';
  /** Not before this, monotonic ms. */
  dueMs: number;
  /** How often it was answered by an internal error, and how often it alone was. */
  overloads: number;
  overloadsAlone: number;
  /** How much the server had accepted when it last refused this. */
  acceptedAtOverload: number;
}

/** Most readings looked ahead at, to fill a body. */
const LOOKAHEAD_MAX = 64;
/** More than a body holds of the smallest readings that are usual. */
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

  /** When the earliest of the batches held back may go, monotonic ms; Infinity when none is. */
  get dueMs(): number {
    return this.#batches.reduce(
      (dueMs, batch) => (batch.state === 'waiting' ? Math.min(dueMs, batch.dueMs) : dueMs),
      Number.POSITIVE_INFINITY,
    );
  }

  /**
   * The next batch to send: one that waits and that the server has nothing against, else a new one, else one that it has
   * answered with an internal error, when that is due. In this order, or a reading that it will never take would be tried
   * again and again before those that it would.
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

  /** False once the lane has taken its readings back: then nothing that is heard of the batch counts any more. */
  includes(batch: Batch): boolean {
    return this.#lane.epoch === this.#epoch && this.#batches.includes(batch);
  }

  /** The batch is at the server, or given up: the lane hears of all that are done from the oldest on. */
  async complete(batch: Batch): Promise<void> {
    batch.state = 'done';
    let count = 0;
    for (let first = this.#batches[0]; first?.state === 'done'; first = this.#batches[0]) {
      count += first.readings.length;
      this.#batches.shift();
    }
    if (count > 0) await this.#lane.acknowledge(count, this.#epoch);
  }

  /** In two halves, each to be tried by itself. A batch of one reading cannot be split. */
  split(batch: Batch): void {
    const index = this.#batches.indexOf(batch);
    if (index < 0) return;
    const middle = Math.ceil(batch.readings.length / 2);
    const halves = [createBatch(batch.readings.slice(0, middle)), createBatch(batch.readings.slice(middle))];
    this.#batches.splice(index, 1, ...halves);
  }

  /** What was taken before may come again, so nothing of it counts any more. */
  #reset(): void {
    this.#lane.rewind();
    this.#epoch = this.#lane.epoch;
    this.#batches = [];
    this.#lookahead = [];
  }
}

/** As many of the first readings as fit one body; at least one. */
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

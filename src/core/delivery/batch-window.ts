/**
 * Sliding window of batches over a lane: which readings are in which batch, and the state of each batch.
 *
 * Responses may arrive in any order; the lane is acknowledged in its own order, so that a restart repeats
 * only uncertain readings. A failed batch keeps its bytes, because equal bytes overwrite the same points.
 * When the lane is rewound (`epoch`), all batches are dropped and later responses to them have no effect.
 */

import type { Reading } from '../model/reading.ts';
import type { Lane } from '../ports/outbox.ts';
import { type EncodedBodies, encodeTelemetry, utf8Bytes } from './encode.ts';
import type { MessageSize } from './message-size.ts';

export interface Batch {
  /** Whole readings, or a part of the values of one. */
  readonly readings: readonly Reading[];
  /** The readings that are lost if the batch is discarded: whole ones. */
  readonly wholeReadings: readonly Reading[];
  /** Readings of the lane that it completes: 0 for each part of a reading but the last. */
  readonly count: number;
  /** Data points: values of all readings. */
  readonly points: number;
  /** Posted in this order; several if one reading is too large for one body, none if no value fits. */
  readonly bodies: readonly string[];
  readonly oversizedKeys: readonly string[];
  /** What the bodies were encoded for. */
  readonly bytesMax: number;
  state: 'waiting' | 'in flight' | 'done';
  /** Earliest time to send it, monotonic ms. */
  dueMs: number;
  /** Internal errors for this batch, and those while other batches were accepted. */
  overloads: number;
  overloadsAlone: number;
  /** Monotonic ms of the first internal error; 0 before it. */
  firstOverloadAtMs: number;
  /** Accepted messages at the last internal error for this batch. */
  acceptedAtOverload: number;
}

/** Maximum number of readings taken from the lane in advance to fill a body. */
const LOOKAHEAD_MAX = 64;
/** More than one body holds of the smallest usual readings. */
const LOOKAHEAD_MIN = 24;

/** The part of the message size that a window needs. */
export type BatchSize = Pick<MessageSize, 'bytesMax' | 'pointsMax' | 'takeProbe'>;

export class BatchWindow {
  readonly #lane: Lane;
  readonly #batchesMax: number;
  readonly #messageSize: BatchSize;
  #epoch: number;
  #batches: Batch[] = [];
  #lookahead: Reading[] = [];

  constructor(lane: Lane, batchesMax: number, messageSize: BatchSize) {
    this.#lane = lane;
    this.#batchesMax = batchesMax;
    this.#messageSize = messageSize;
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
   * does. After an abort the lane belongs to the window of other loops, which a rewind would void: undefined.
   */
  async next(nowMs: number, signal?: AbortSignal): Promise<Batch | undefined> {
    if (signal?.aborted) return undefined;
    if (this.#lane.epoch !== this.#epoch) this.#reset();
    const waiting = this.#batches.filter(({ state, dueMs }) => state === 'waiting' && dueMs <= nowMs);
    const ready = waiting.find(({ overloads }) => overloads === 0);
    if (ready) return this.#fit(ready);
    const [overloaded] = waiting.sort((one, other) => one.dueMs - other.dueMs);
    if (this.#batches.length >= this.#batchesMax) return overloaded && this.#fit(overloaded);
    if (this.#lookahead.length < LOOKAHEAD_MIN) {
      const added = await this.#lane.take(LOOKAHEAD_MAX - this.#lookahead.length);
      if (this.#lane.epoch !== this.#epoch) return this.next(nowMs, signal);
      this.#lookahead.push(...added);
    }
    if (this.#lookahead.length === 0) return overloaded && this.#fit(overloaded);
    const batch = createBatch(this.#lookahead, this.#messageSize);
    this.#lookahead.splice(0, batch.readings.length);
    this.#batches.push(batch);
    return this.#fit(batch);
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
      count += first.count;
      this.#batches.shift();
    }
    if (count > 0) await this.#lane.acknowledge(count, this.#epoch);
  }

  /** Replaces the batch by its two halves. It must have several values. */
  split(batch: Batch): void {
    const index = this.#batches.indexOf(batch);
    if (index >= 0) this.#batches.splice(index, 1, ...halvesOf(batch, this.#messageSize.bytesMax));
  }

  /** The batch, or its first part if messages have become smaller since it was made. */
  #fit(batch: Batch): Batch {
    let fitting = batch;
    const pointsMax = this.#messageSize.takeProbe() ? 1 : this.#messageSize.pointsMax;
    const { bytesMax } = this.#messageSize;
    while ((fitting.points > pointsMax || isTooLong(fitting, bytesMax)) && isDivisible(fitting)) {
      const index = this.#batches.indexOf(fitting);
      const halves = halvesOf(fitting, bytesMax);
      this.#batches.splice(index, 1, ...halves);
      [fitting] = halves;
    }
    return fitting;
  }

  /** Drops all batches, because the lane may return their readings again. */
  #reset(): void {
    this.#lane.rewind();
    this.#epoch = this.#lane.epoch;
    this.#batches = [];
    this.#lookahead = [];
  }
}

/** Another token can leave less room for the body. */
function isTooLong(batch: Batch, bytesMax: number): boolean {
  return batch.bytesMax > bytesMax && batch.bodies.some((body) => utf8Bytes(body) > bytesMax);
}

/** Whether it has several values, so that it can be split. */
function isDivisible({ points }: Batch): boolean {
  return points > 1;
}

/** By readings; a single reading by its values, all with its timestamp. */
function halvesOf(batch: Batch, bytesMax: number): [Batch, Batch] {
  const { readings } = batch;
  if (readings.length > 1) {
    const middle = Math.ceil(readings.length / 2);
    const [front, back] = [readings.slice(0, middle), readings.slice(middle)];
    return [toBatch(front, front.length, bytesMax), toBatch(back, back.length, bytesMax)];
  }
  const { wholeReadings, count } = batch;
  const middle = Math.ceil(batch.points / 2);
  const part = (from: number, to?: number): readonly Reading[] =>
    readings.map((reading) => ({
      ...reading,
      values: Object.fromEntries(Object.entries(reading.values).slice(from, to)),
    }));
  return [
    toBatch(part(0, middle), 0, bytesMax, wholeReadings),
    toBatch(part(middle), count, bytesMax, wholeReadings),
  ];
}

/** Takes as many of the first readings as fit one body and have at most `pointsMax` values; at least one. */
function createBatch(readings: readonly Reading[], { pointsMax, bytesMax }: BatchSize): Batch {
  let points = 0;
  const fitting = readings.filter((reading, index) => {
    points += pointsOf(reading);
    return index === 0 || points <= pointsMax;
  });
  const encoded = encodeTelemetry(fitting, bytesMax);
  const taken = fitting.slice(0, encoded.count);
  return toBatch(taken, encoded.count, bytesMax, taken, encoded);
}

/** The readings must fit one body, except a single one. */
function toBatch(
  readings: readonly Reading[],
  count: number,
  bytesMax: number,
  wholeReadings: readonly Reading[] = readings,
  { bodies, oversizedKeys }: EncodedBodies = encodeTelemetry(readings, bytesMax),
): Batch {
  return {
    readings,
    wholeReadings,
    count,
    points: readings.reduce((sum, reading) => sum + pointsOf(reading), 0),
    bodies,
    oversizedKeys,
    bytesMax,
    state: 'waiting',
    dueMs: Number.NEGATIVE_INFINITY,
    overloads: 0,
    overloadsAlone: 0,
    firstOverloadAtMs: 0,
    acceptedAtOverload: 0,
  };
}

function pointsOf({ values }: Reading): number {
  return Object.keys(values).length;
}

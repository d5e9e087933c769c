/**
 * The limit of data points per device, as in a tenant profile of ThingsBoard: `20:1,600:60` is 20 in a second
 * and 600 in a minute (contract section 10). Each part is a token bucket that refills steadily, so a message
 * with more points than the smallest bucket holds never passes.
 */

import type { Knobs } from './model/types.ts';

interface Limit {
  readonly points: number;
  readonly seconds: number;
}

interface Bucket extends Limit {
  /** Data points that the device may post now; a fraction grows with the time. */
  available: number;
  refilledAtMs: number;
}

const PARTS_MAX = 10;
const PART = /^([1-9][0-9]{0,8}):([1-9][0-9]{0,8})$/;
/** Far below one data point: rounding must not cost one. */
const ROUNDING = 1e-6;

/** Undefined if the text is not a list of `points:seconds`; empty for an empty text, which is no limit. */
export function parseLimits(text: string): readonly Limit[] | undefined {
  if (text === '') return [];
  const parts = text.split(',');
  const limits = parts.flatMap((part) => {
    const [, points, seconds] = PART.exec(part) ?? [];
    return points === undefined ? [] : [{ points: Number(points), seconds: Number(seconds) }];
  });
  return limits.length === parts.length && limits.length <= PARTS_MAX ? limits : undefined;
}

export class DataPointLimit {
  readonly #knobs: Knobs;
  readonly #nowMs: () => number;
  readonly #byDevice = new Map<string, Bucket[]>();
  #configuration = '';

  constructor(knobs: Knobs, nowMs: () => number) {
    this.#knobs = knobs;
    this.#nowMs = nowMs;
  }

  /**
   * True if all points pass; then they count. Otherwise none counts. A change of the limit fills all buckets.
   */
  consume(deviceId: string, points: number): boolean {
    const { dataPointLimit } = this.#knobs;
    if (dataPointLimit !== this.#configuration) {
      this.#configuration = dataPointLimit;
      this.#byDevice.clear();
    }
    if (dataPointLimit === '' || points === 0) return true;
    const buckets = this.#byDevice.get(deviceId) ?? this.#fullBuckets();
    this.#byDevice.set(deviceId, buckets);
    for (const bucket of buckets) this.#refill(bucket);
    if (buckets.some(({ available }) => available + ROUNDING < points)) return false;
    for (const bucket of buckets) bucket.available -= points;
    return true;
  }

  /** The device was deleted. */
  forget(deviceId: string): void {
    this.#byDevice.delete(deviceId);
  }

  #fullBuckets(): Bucket[] {
    const refilledAtMs = this.#nowMs();
    const limits = parseLimits(this.#configuration) ?? [];
    return limits.map((limit) => ({ ...limit, available: limit.points, refilledAtMs }));
  }

  #refill(bucket: Bucket): void {
    const nowMs = this.#nowMs();
    const refilled = ((nowMs - bucket.refilledAtMs) / 1_000) * (bucket.points / bucket.seconds);
    bucket.available = Math.min(bucket.points, bucket.available + Math.max(0, refilled));
    bucket.refilledAtMs = nowMs;
  }
}

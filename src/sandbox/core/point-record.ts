/**
 * Records every stored point, every point stored twice and every datagram received twice, so that tests can
 * check for lost and duplicate readings. Bounded: the oldest points are dropped and counted.
 */

import { BoundedLog } from './bounded-log.ts';
import type { StoredPoint } from './model/types.ts';

export interface PointQuery {
  readonly device?: string;
  readonly key?: string;
  /** Only points with this `ts` or a later one, Unix ms. */
  readonly since?: number;
  /** Only the newest `limit` points, in storage order. */
  readonly limit?: number;
}

/** The same device, key and timestamp stored again. */
export interface DuplicatePoint {
  readonly device: string;
  readonly key: string;
  readonly ts: number;
  readonly first: StoredPoint['value'];
  readonly again: StoredPoint['value'];
  /** False: the value was overwritten by another one. */
  readonly equal: boolean;
  /** Server clock, Unix ms. */
  readonly storedAt: number;
}

export interface DeviceCounters {
  points: number;
  /** Newest stored timestamp, Unix ms. */
  lastTs: number;
  /** Server clock when the last point was stored, Unix ms. */
  lastStoredAt: number;
}

export interface RecordBounds {
  readonly pointsMax?: number;
  readonly duplicatesMax?: number;
}

const POINTS_MAX = 2_000_000;
const DUPLICATES_MAX = 100_000;

export class PointRecord {
  readonly #points: BoundedLog<StoredPoint>;
  readonly #duplicates: BoundedLog<DuplicatePoint>;
  readonly #datagrams: BoundedLog<string>;
  readonly #series = new Map<string, Map<number, StoredPoint>>();
  readonly #counters = new Map<string, DeviceCounters>();

  constructor(bounds: RecordBounds = {}) {
    const duplicatesMax = bounds.duplicatesMax ?? DUPLICATES_MAX;
    this.#points = new BoundedLog(bounds.pointsMax ?? POINTS_MAX, (point) => this.#forget(point));
    this.#duplicates = new BoundedLog(duplicatesMax);
    this.#datagrams = new BoundedLog(duplicatesMax);
  }

  store(point: StoredPoint): void {
    this.#compare(point);
    this.#points.push(point);
    const counters = this.#counters.get(point.device) ?? { points: 0, lastTs: point.ts, lastStoredAt: 0 };
    counters.points += 1;
    counters.lastTs = Math.max(counters.lastTs, point.ts);
    counters.lastStoredAt = point.storedAt;
    this.#counters.set(point.device, counters);
  }

  duplicateDatagram(detail: string): void {
    this.#datagrams.push(detail);
  }

  points(query: PointQuery = {}): readonly StoredPoint[] {
    const { device, key, since, limit } = query;
    const found = this.#points.filter(
      (point) =>
        (device === undefined || point.device === device) &&
        (key === undefined || point.key === key) &&
        (since === undefined || point.ts >= since),
    );
    return limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
  }

  duplicatePoints(): readonly DuplicatePoint[] {
    return this.#duplicates.filter(() => true);
  }

  duplicateDatagrams(): readonly string[] {
    return this.#datagrams.filter(() => true);
  }

  allCounters(): Iterable<readonly [device: string, counters: Readonly<DeviceCounters>]> {
    return [...this.#counters].map(([device, counters]) => [device, { ...counters }] as const);
  }

  counters(device: string): Readonly<DeviceCounters> | undefined {
    return this.#counters.get(device);
  }

  /** Counts since the start; `kept` points are still available to queries. */
  totals(): {
    readonly stored: number;
    readonly kept: number;
    readonly dropped: number;
    readonly duplicatePoints: number;
    readonly duplicateDatagrams: number;
  } {
    return {
      stored: this.#points.total,
      kept: this.#points.size,
      dropped: this.#points.total - this.#points.size,
      duplicatePoints: this.#duplicates.total,
      duplicateDatagrams: this.#datagrams.total,
    };
  }

  #compare(point: StoredPoint): void {
    const name = seriesName(point);
    const series = this.#series.get(name) ?? new Map<number, StoredPoint>();
    this.#series.set(name, series);
    const previous = series.get(point.ts);
    series.set(point.ts, point);
    if (previous === undefined) return;
    this.#duplicates.push({
      device: point.device,
      key: point.key,
      ts: point.ts,
      first: previous.value,
      again: point.value,
      equal: previous.type === point.type && previous.value === point.value,
      storedAt: point.storedAt,
    });
  }

  #forget(point: StoredPoint): void {
    const name = seriesName(point);
    const series = this.#series.get(name);
    if (series?.get(point.ts) !== point) return;
    series.delete(point.ts);
    if (series.size === 0) this.#series.delete(name);
  }
}

function seriesName({ device, key }: StoredPoint): string {
  return `${device}\n${key}`;
}

/**
 * Delta encoding of samples: only keys whose value has changed are reported, and a full snapshot now and
 * then. Carrying the last values forward restores what was sampled. Values are compared with the last
 * reported ones, not with the last delivered ones, because a backlog arrives late and out of order.
 */

import { GlobMap } from '../model/glob.ts';
import type { Reading, Value, Values } from '../model/reading.ts';

/** Maximum interval between two snapshots, ms: how far a reader of the history must look back. */
export const SNAPSHOT_EVERY_MS = 5 * 60_000;

/** Minimum change of a number that is reported, by key or glob; 0 for any other key. */
export type Deadbands = ReadonlyMap<string, number>;

export class DeltaEncoder {
  readonly #deadbands: GlobMap<number>;
  #reported: Record<string, Value> = {};
  #snapshotAtMs = Number.NEGATIVE_INFINITY;

  constructor(deadbands: Deadbands = new Map()) {
    this.#deadbands = new GlobMap(deadbands);
  }

  /**
   * The reading for `values`, read at `bootMs`; undefined if nothing has changed. A snapshot if
   * `forceSnapshot`, if the last one is old, or if a key has disappeared, which a delta cannot express.
   */
  next(
    values: Values,
    bootMs: number,
    forceSnapshot: boolean,
  ): Pick<Reading, 'values' | 'isSnapshot'> | undefined {
    const keys = Object.keys(values);
    if (keys.length === 0) return undefined;
    const isDue = bootMs - this.#snapshotAtMs >= SNAPSHOT_EVERY_MS;
    if (forceSnapshot || isDue || Object.keys(this.#reported).some((key) => !Object.hasOwn(values, key))) {
      this.#snapshotAtMs = bootMs;
      this.#reported = { ...values };
      return { values, isSnapshot: true };
    }
    const changed: Record<string, Value> = {};
    let hasChanges = false;
    for (const key of keys) {
      const value = values[key];
      if (value === undefined || !this.#hasMoved(key, value)) continue;
      changed[key] = value;
      this.#reported[key] = value;
      hasChanges = true;
    }
    return hasChanges ? { values: changed, isSnapshot: false } : undefined;
  }

  #hasMoved(key: string, value: Value): boolean {
    const reported = this.#reported[key];
    if (typeof value !== 'number' || typeof reported !== 'number') return value !== reported;
    return value !== reported && Math.abs(value - reported) >= (this.#deadbands.get(key) ?? 0);
  }
}

/**
 * Changes: what of a sample is worth sending, judged against the sample before it.
 *
 * Only keys whose value moved go out, and all of them now and then; whoever carries the last value forward gets
 * back what was sampled. The comparison is with what was last reported and not with what the server last took,
 * because a backlog arrives late and out of turn. Pure; one object per sampling loop.
 */

import { GlobMap } from '../model/glob.ts';
import type { Reading, Value, Values } from '../model/reading.ts';

/** A full reading at least so often: what a reader of the history has to look back, ms. */
export const SNAPSHOT_EVERY_MS = 5 * 60_000;

/** How far a number may move unreported, by key or glob (by-key.ts); a key that none names is reported at every change. */
export type Deadbands = ReadonlyMap<string, number>;

export class DeltaEncoder {
  readonly #deadbands: GlobMap<number>;
  #reported: Record<string, Value> = {};
  #snapshotAtMs = Number.NEGATIVE_INFINITY;

  constructor(deadbands: Deadbands = new Map()) {
    this.#deadbands = new GlobMap(deadbands);
  }

  /**
   * What to report of `values`, read at `bootMs`: undefined when nothing moved. Full when `mustBeFull`, when the
   * last full one is old, and when a key has gone, which the absence of a value could not tell.
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

/**
 * Changes: what of a sample is worth sending, judged against the sample before it.
 *
 * Only keys whose value moved go out, and all of them now and then; whoever carries the last value forward gets
 * back what was sampled. The comparison is with what was last reported and not with what the server last took,
 * because a backlog arrives late and out of turn. Pure; one object per sampling loop.
 */

import { ByKey } from '../model/glob.ts';
import type { Reading, Value, Values } from '../model/reading.ts';

/** A full reading at least so often: what a reader of the history has to look back, ms. */
export const FULL_EVERY_MS = 5 * 60_000;

/** How far a number may move unreported, by key or glob (by-key.ts); a key that none names is reported at every change. */
export type Deadbands = ReadonlyMap<string, number>;

export class Changes {
  readonly #deadbands: ByKey<number>;
  #reported: Record<string, Value> = {};
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(deadbands: Deadbands = new Map()) {
    this.#deadbands = new ByKey(deadbands);
  }

  /**
   * What to report of `values`, read at `bootMs`: undefined when nothing moved. Full when `mustBeFull`, when the
   * last full one is old, and when a key has gone, which the absence of a value could not tell.
   */
  of(values: Values, bootMs: number, mustBeFull: boolean): Pick<Reading, 'values' | 'full'> | undefined {
    const keys = Object.keys(values);
    if (keys.length === 0) return undefined;
    const isDue = bootMs - this.#fullAtMs >= FULL_EVERY_MS;
    if (mustBeFull || isDue || Object.keys(this.#reported).some((key) => !Object.hasOwn(values, key))) {
      this.#fullAtMs = bootMs;
      this.#reported = { ...values };
      return { values, full: true };
    }
    const changed: Record<string, Value> = {};
    let any = false;
    for (const key of keys) {
      const value = values[key];
      if (value === undefined || !this.#moved(key, value)) continue;
      changed[key] = value;
      this.#reported[key] = value;
      any = true;
    }
    return any ? { values: changed, full: false } : undefined;
  }

  #moved(key: string, value: Value): boolean {
    const reported = this.#reported[key];
    if (typeof value !== 'number' || typeof reported !== 'number') return value !== reported;
    return value !== reported && Math.abs(value - reported) >= (this.#deadbands.of(key) ?? 0);
  }
}

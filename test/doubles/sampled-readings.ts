/**
 * Readings of a sampled host together with the sampled values, for tests that reconstruct the history from
 * the output of a store. The `bootMs` of a reading, 1, 2, 3, …, identifies it.
 */

import assert from 'node:assert/strict';
import type { Reading, Values } from '../../src/core/model/reading.ts';

export const BOOT = 'this-boot';
/** The `tsMs` of a reading is its `bootMs` plus this. */
export const OFFSET_MS = 1_700_000_000_000;

export class SampledReadings {
  readonly #padding: string;
  readonly #bootId: string;
  #now = 0;

  /** With `paddingBytes` few readings fill a segment. */
  constructor(paddingBytes = 0, bootId = BOOT) {
    this.#padding = 'x'.repeat(paddingBytes);
    this.#bootId = bootId;
  }

  /** The next `count` readings; the first one is a snapshot. */
  batch(count: number, isDated = true): Reading[] {
    return Array.from({ length: count }, (_, index) => this.next(index === 0, isDated));
  }

  next(isSnapshot = false, isDated = true): Reading {
    const before = this.valuesAt(this.#now);
    this.#now += 1;
    const all = this.valuesAt(this.#now);
    const changed = Object.fromEntries(Object.entries(all).filter(([key, value]) => before[key] !== value));
    const instant = { bootId: this.#bootId, bootMs: this.#now };
    return {
      ...instant,
      ...(isDated && { tsMs: this.#now + OFFSET_MS }),
      values: isSnapshot ? all : changed,
      isSnapshot,
    };
  }

  valuesAt(now: number): Values {
    const [everyThird, everySeventh] = [Math.floor(now / 3), Math.floor(now / 7)];
    return {
      now,
      everyThird,
      everySeventh,
      odd: now % 2 === 1,
      padding: `${now} ${this.#padding}`,
    };
  }

  /**
   * Carries values forward over the delivered readings, in their order, and fails if the result differs from
   * the sampled values. The `undated` readings are not checked themselves: they were delivered ahead of
   * others that may be lost since.
   */
  assertHistory(delivered: readonly Reading[], undated: ReadonlySet<number> = new Set()): void {
    let state: Values = {};
    for (const reading of delivered) {
      state = reading.isSnapshot ? reading.values : { ...state, ...reading.values };
      if (undated.has(reading.bootMs)) continue;
      assert.deepEqual(state, this.valuesAt(reading.bootMs), `the history at ${reading.bootMs}`);
    }
  }
}

export const times = (readings: readonly Reading[]): number[] => readings.map(({ bootMs }) => bootMs);

export function gapRecord(lost: number, bootMs: number): Reading {
  const values = { lostReadings: lost, lostWhy: 'refused' };
  return { bootId: BOOT, bootMs, tsMs: bootMs + OFFSET_MS, values, isSnapshot: false, gap: true };
}

/**
 * Readings of a host that was sampled, and what was sampled: for tests that reconstruct the history from what a store
 * lets out. Every reading is known by its `bootMs`, 1, 2, 3, …
 */

import assert from 'node:assert/strict';
import type { Reading, Values } from '../../src/core/model/reading.ts';

export const BOOT = 'this-boot';
/** `tsMs` of a dated reading is its `bootMs` plus this. */
export const OFFSET_MS = 1_700_000_000_000;

export class SampledReadings {
  readonly #padding: string;
  readonly #bootId: string;
  #now = 0;

  /** `paddingBytes` make a reading large, so that few of them fill a segment. */
  constructor(paddingBytes = 0, bootId = BOOT) {
    this.#padding = 'x'.repeat(paddingBytes);
    this.#bootId = bootId;
  }

  /** The next `count` readings, the first of them full. */
  batch(count: number, isDated = true): Reading[] {
    return Array.from({ length: count }, (_, index) => this.next(index === 0, isDated));
  }

  next(full = false, isDated = true): Reading {
    const before = this.valuesAt(this.#now);
    this.#now += 1;
    const all = this.valuesAt(this.#now);
    const changed = Object.fromEntries(Object.entries(all).filter(([key, value]) => before[key] !== value));
    const stamp = { bootId: this.#bootId, bootMs: this.#now };
    return {
      ...stamp,
      ...(isDated && { tsMs: this.#now + OFFSET_MS }),
      values: full ? all : changed,
      isSnapshot: full,
    };
  }

  valuesAt(now: number): Values {
    const [everyThird, everySeventh] = [Math.floor(now / 3), Math.floor(now / 7)];
    return {
      now,
      everyThird: everyThird,
      everySeventh: everySeventh,
      odd: now % 2 === 1,
      padding: `${now} ${this.#padding}`,
    };
  }

  /**
   * Carries forward over what was delivered, in its order, and fails where that is not what was sampled. Those that
   * were delivered `live`, ahead of others that may be lost since, need not be right themselves.
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

/**
 * Last observation carried forward: all values after a reading that holds only changes. Pure.
 *
 * Stores use it so that the first reading after a gap, in a segment and in another store is full: readers of
 * the history need nothing that was lost before it.
 */

import type { Reading, Values } from '../../core/model/reading.ts';

/** All values after `reading`, if they were `before` ahead of it. A gap record changes none. */
export function carryForward(before: Values, reading: Reading): Values {
  if (reading.gap) return before;
  return reading.isSnapshot ? reading.values : { ...before, ...reading.values };
}

/** The same reading with all values at its instant. */
export function toFull(before: Values, reading: Reading): Reading {
  if (reading.isSnapshot || reading.gap) return reading;
  return { ...reading, values: { ...before, ...reading.values }, isSnapshot: true };
}

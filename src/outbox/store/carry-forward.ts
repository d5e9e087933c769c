/**
 * Carrying forward: what all values were after a reading that reports only those that moved.
 *
 * Every store uses it for one promise: the first reading after a gap, in a segment and in another store is full, so
 * that whoever reads the history needs nothing of what was lost before it. Pure.
 */

import type { Reading, Values } from '../../core/model/reading.ts';

/** All values after `reading`, when they were `before` ahead of it. A gap record is no sample and changes none. */
export function carryForward(before: Values, reading: Reading): Values {
  if (reading.gap) return before;
  return reading.isSnapshot ? reading.values : { ...before, ...reading.values };
}

/** The same reading with everything that was known at its instant. */
export function toFull(before: Values, reading: Reading): Reading {
  if (reading.isSnapshot || reading.gap) return reading;
  return { ...reading, values: { ...before, ...reading.values }, isSnapshot: true };
}

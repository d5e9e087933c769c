/**
 * A long row of readings in parts that are stored one by one, so that a disk which takes some of them keeps those.
 *
 * Promises: nothing is left out, and the first sample of each part is full if the first of all is.
 */

import type { Reading, Values } from '../core/reading.ts';
import { carry, expand } from './carry.ts';

/** About a segment of readings that are usual. */
const READINGS_MAX = 256;

export function* inParts(readings: readonly Reading[]): Generator<readonly Reading[]> {
  let before: Values = {};
  for (let from = 0; from < readings.length; from += READINGS_MAX) {
    const part = readings.slice(from, from + READINGS_MAX);
    const first = part.findIndex(({ gap }) => !gap);
    const sample = part[first];
    if (sample && from > 0) part[first] = expand(before, sample);
    for (const reading of part) before = carry(before, reading);
    yield part;
  }
}

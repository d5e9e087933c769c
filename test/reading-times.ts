/**
 * When the readings on a server were taken. By the points of all keys: none is in every reading, because a reading has only what
 * has changed. A reading that is a little late and the next one can have the same `uptimeS`, which is in whole seconds.
 */

import { GAP_RECORD_KEYS } from '../src/core/model/loss-report.ts';
import type { StoredPoint } from '../src/sandbox/core/model/types.ts';

type Point = Pick<StoredPoint, 'key' | 'ts' | 'tsGiven' | 'via'>;

/** Unix ms, ascending, each once: of dated readings, not of gap records and the reports of an update, which have no date. */
export function readingTimes(points: readonly Point[]): number[] {
  const times = points
    .filter(({ key, tsGiven, via }) => tsGiven && via !== 'server' && !GAP_RECORD_KEYS.has(key))
    .map(({ ts }) => ts);
  return [...new Set(times)].sort((a, b) => a - b);
}

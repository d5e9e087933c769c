/**
 * When the readings on a server were taken. The points of all keys count, because no key is in every reading: a reading contains
 * only what has changed. `uptimeS`, for example, is in whole seconds: a reading that is late and the next one can have the same.
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

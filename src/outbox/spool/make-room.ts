/** Makes room for one more segment: the spool drops its oldest readings when it is full or the file system nearly is. */

import { OutboxError } from '../store/reading-store.ts';
import type { SpoolDirectory } from './directory.ts';
import { SEGMENT_BYTES } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

export interface SpoolBounds {
  /** Size of all segments, bytes. */
  readonly bytesMax: number;
  /** Share of the file system that stays free, 0 to 1. */
  readonly freeShare: number;
}

/**
 * Drops the oldest segments until one more fits. `hasFreed`: one was dropped for the file system before, and none
 * was written in its place. Returns whether it dropped one for the file system now. Rejects with an OutboxError if
 * the file system has no space for the spool.
 */
export async function makeRoom(
  { segmentList, directory }: { readonly segmentList: SegmentList; readonly directory: SpoolDirectory },
  { bytesMax, freeShare }: SpoolBounds,
  hasFreed: boolean,
): Promise<boolean> {
  const isFull = () => segmentList.bytes + SEGMENT_BYTES > bytesMax && segmentList.segments.length > 0;
  const wasFull = isFull();
  while (isFull()) await segmentList.drop('spool full');
  // Each failed write would cost a segment, if another program takes the freed space.
  if (wasFull || hasFreed) return false;
  const { freeBytes, totalBytes } = await directory.space();
  if (freeBytes - SEGMENT_BYTES >= freeShare * totalBytes) return false;
  // Replaces one segment by one, so the spool does not grow. A single one would lose all older readings, so
  // it is kept.
  if (segmentList.segments.length < 2) {
    throw new OutboxError('the file system has too little free space for the spool to grow', 'LOW_SPACE');
  }
  await segmentList.drop('disk full');
  return true;
}

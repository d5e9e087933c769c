/** Counts the losses of a segment that is removed, with timestamps where they are known. */

import type { LossReason, LossReport } from '../../core/model/loss-report.ts';
import type { BootOffsetFile } from './boot-offset-file.ts';
import { type Segment, scanRecords } from './segment.ts';

export interface LossPorts {
  readonly losses: LossReport;
  readonly bootOffsets: BootOffsetFile;
}

/**
 * Counts the undelivered readings of a dropped segment. Without `content`, which could not be read, only
 * their number is known.
 */
export function reportDropped(
  { losses, bootOffsets }: LossPorts,
  segment: Segment,
  content: Buffer | undefined,
  reason: LossReason,
): void {
  if (!content && segment.remaining > 0) losses.add({ readings: segment.remaining, reason });
  const from = { bytes: segment.ackedBytes, fullAt: segment.ackedFullAt };
  for (const record of content ? scanRecords(content, from) : []) {
    // The reader has been here and has counted what it could not deliver.
    const isReported = record.end.bytes <= segment.reportedBytes;
    if (record.kind === 'damage') {
      if (!isReported) losses.add({ readings: 1, reason: 'damaged' });
      continue;
    }
    const timestamped = bootOffsets.withTimestamp(record.reading);
    if (timestamped || !isReported) losses.addReading(timestamped ?? record.reading, reason);
  }
}

/** Counts the losses that the reader found in a segment. */
export function reportLosses(losses: LossReport, segment: Segment): void {
  for (const { reason, reading } of segment.unreported.splice(0)) {
    if (reading) losses.addReading(reading, reason);
    else losses.add({ readings: 1, reason });
  }
}

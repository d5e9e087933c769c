/** What is lost with a segment that is dropped unread: told once, with dates where they are known. */

import type { LossReason, LossReport } from '../../core/model/loss-report.ts';
import type { BootOffsetFile } from './boot-offset-file.ts';
import { type Segment, scanRecords } from './segment.ts';

export interface LossPorts {
  readonly losses: LossReport;
  readonly bootOffsets: BootOffsetFile;
}

/** `content` is undefined when it could not be read: then only the count is known. */
export function reportDropped(
  { losses, bootOffsets }: LossPorts,
  segment: Segment,
  content: Buffer | undefined,
  why: LossReason,
): void {
  if (!content && segment.remaining > 0) losses.add({ readings: segment.remaining, reason: why });
  const from = { bytes: segment.ackedBytes, fullAt: segment.ackedFullAt };
  for (const record of content ? scanRecords(content, from) : []) {
    // The cursor was here before, and told what it could not let out.
    const isReported = record.end.bytes <= segment.reportedBytes;
    if (record.kind === 'damage') {
      if (!isReported) losses.add({ readings: 1, reason: 'damaged' });
      continue;
    }
    const dated = bootOffsets.withTimestamp(record.reading);
    if (dated || !isReported) losses.addReading(dated ?? record.reading, why);
  }
}

/** What was found to be lost of a segment that is done with. */
export function reportLosses(losses: LossReport, segment: Segment): void {
  for (const { why, reading } of segment.unreported.splice(0)) {
    if (reading) losses.addReading(reading, why);
    else losses.add({ readings: 1, reason: why });
  }
}

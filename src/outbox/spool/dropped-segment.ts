/** What is lost with a segment that is dropped unread: told once, with dates where they are known. */

import type { Losses, LossReason } from '../../core/model/loss-report.ts';
import type { Anchors } from './boot-offset-file.ts';
import { recordsOf, type Segment } from './segment.ts';

export interface DroppedPorts {
  readonly losses: Losses;
  readonly anchors: Anchors;
}

/** `content` is undefined when it could not be read: then only the count is known. */
export function tellDropped(
  { losses, anchors }: DroppedPorts,
  segment: Segment,
  content: Buffer | undefined,
  why: LossReason,
): void {
  if (!content && segment.left > 0) losses.add({ readings: segment.left, why });
  const from = { bytes: segment.ackedBytes, fullAt: segment.ackedFullAt };
  for (const found of content ? recordsOf(content, from) : []) {
    // The cursor was here before, and told what it could not let out.
    const isTold = found.end.bytes <= segment.toldBytes;
    if (found.at === 'damage') {
      if (!isTold) losses.add({ readings: 1, why: 'damaged' });
      continue;
    }
    const dated = anchors.date(found.reading);
    if (dated || !isTold) losses.addReading(dated ?? found.reading, why);
  }
}

/** What was found to be lost of a segment that is done with. */
export function tellUntold(losses: Losses, segment: Segment): void {
  for (const { why, reading } of segment.untold.splice(0)) {
    if (reading) losses.addReading(reading, why);
    else losses.add({ readings: 1, why });
  }
}

/** Reading a segment's file: twice at once, and for a long time before what it holds is called lost. */

import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { SpoolDirectory } from './directory.ts';
import type { OnceLog } from './once-log.ts';
import { type Segment, segmentName } from './segment.ts';

/** A disk that hiccups for minutes must not cost what it holds; the lane is asked again with every sample. */
export const READ_TRIES_MAX = 60;

/** What is in it, up to its last good byte; undefined when that cannot be read now, which `failedReads` counts. */
export async function readSegment(
  { directory, log }: { readonly directory: SpoolDirectory; readonly log: OnceLog },
  segment: Segment,
): Promise<Buffer | undefined> {
  const readOnce = () => directory.read(segmentName(segment.number), 0, segment.goodBytes);
  try {
    const content = await readOnce().catch(readOnce);
    segment.failedReads = 0;
    return content;
  } catch (error) {
    // Gone for good: another hand has removed it.
    segment.failedReads = errorCode(error) === 'ENOENT' ? READ_TRIES_MAX : segment.failedReads + 1;
    log.logEvent('FL-SPOOL-READ-FAILED', { file: segmentName(segment.number), detail: errorMessage(error) });
    return undefined;
  }
}

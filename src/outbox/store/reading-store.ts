/**
 * The contract of stores of readings, in memory (memory-store.ts) and on the disk (spool.ts); see
 * test/contracts/reading-store.ts.
 */

import type { Reading } from '../../core/model/reading.ts';
import type { Lane } from '../../core/ports/outbox.ts';

export interface ReadingStore extends Lane {
  /**
   * Adds readings at the end. When it resolves they are as safe as this store can make them; if it rejects,
   * with an OutboxError, the store has none of them. A full store drops its oldest readings and counts them
   * in `losses`. The first of `readings` that is not a gap record must be full.
   */
  append(readings: readonly Reading[]): Promise<void>;
  /** From now on readings of this boot get the timestamp `bootMs + offsetMs`. Later calls have no effect. */
  setBootOffset(offsetMs: number): Promise<void>;
  /** Resolves when all earlier operations are done and their losses are counted. Never rejects. */
  whenIdle(): Promise<void>;
  /**
   * Bytes in memory or on the disk, as its bound counts them. Those of delivered readings that could not be
   * removed are among them; each `take`, even of 0 readings, tries it again.
   */
  readonly bytes: number;
}

/** A write failed. `code` is the system's (ENOSPC, EROFS, EIO), or LOW_SPACE if the spool may not grow. */
export class OutboxError extends Error {
  override readonly name = 'OutboxError';
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

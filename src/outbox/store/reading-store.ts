/**
 * What the outbox is made of: stores of readings, in memory (ram-store.ts) or on the disk (spool.ts), which
 * keep one contract (test/contracts/reading-store.ts).
 */

import type { Reading } from '../../core/model/reading.ts';
import type { Lane } from '../../core/ports/outbox.ts';

export interface ReadingStore extends Lane {
  /**
   * Adds these behind all others. When it resolves they are as safe as this store can make them; when it
   * rejects, with an OutboxError, it has none of them. What does not fit pushes out the oldest, which are
   * told to `losses`. The first of `readings` that is no gap record is full.
   */
  append(readings: readonly Reading[]): Promise<void>;
  /** From now on undated readings of this boot are dated: `tsMs = bootMs + offsetMs`. Only the first call counts. */
  setBootOffset(offsetMs: number): Promise<void>;
  /** When what was asked of it before is done, and the losses that this found are counted. Never rejects. */
  whenIdle(): Promise<void>;
  /** Bytes in memory or on the disk, which its bound is about. */
  readonly bytes: number;
}

/** The disk refused. `code` is the system's (ENOSPC, EROFS, EIO) or LOW_SPACE when it is our own floor. */
export class OutboxError extends Error {
  override readonly name = 'OutboxError';
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

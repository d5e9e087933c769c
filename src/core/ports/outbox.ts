/** Ports for queued readings: the outbox and its two lanes. */

import type { LossReason, LossReport } from '../model/loss-report.ts';
import type { Reading } from '../model/reading.ts';

/** Readings on their way to the server, in the order in which they are to go: taken, and gone only when acknowledged. */
export interface Lane {
  /** Readings not acknowledged yet, taken or not. */
  readonly size: number;
  /** Changes whenever what was taken is taken back (rewound, moved or dropped): then it may come again. */
  readonly epoch: number;
  /**
   * The next ones after those already taken, at most `max`, each with its `tsMs`. Stops before a reading whose
   * date is not known yet. Never rejects.
   */
  take(max: number): Promise<readonly Reading[]>;
  /** The `count` oldest of those taken are at the server, or are given up. Of another epoch: nothing happens. */
  acknowledge(count: number, epoch: number): Promise<void>;
  /** What was taken and not acknowledged will be taken again. */
  rewind(): void;
}

/** Readings waiting for delivery, bounded; the oldest go when it is full, and are told as a gap. */
export interface Outbox {
  /** Never waits and never throws: sampling goes on whatever the disk does. */
  append(reading: Reading): void;
  /** What was sampled lately: goes first. */
  readonly fresh: Lane;
  /** What has waited longer, on the disk where it can be: goes behind it, at a bounded rate. */
  readonly backlog: Lane;
  /**
   * The newest reading, if it has no date and was not offered before: it may go without one, so that the
   * server dates it. It stays where it is until `settleLive` says what became of it.
   */
  takeUndated(): Reading | undefined;
  completeUndated(reading: Reading, delivered: boolean): void;
  /** The next reading should be a full one: what was delivered last may be older than what the server has. */
  readonly needsSnapshot: boolean;
  /** From now on undated readings of this boot are dated: `tsMs = bootMs + offsetMs`. Only the first call counts. */
  setBootOffset(offsetMs: number): Promise<void>;
  /** Readings that will never be delivered. */
  readonly losses: LossReport;
  /** The reading is given up; the next one should say everything, because that one will be missing. */
  discardReading(reading: Reading, reason: LossReason): void;
  /** Appends a gap record, if something was lost that is not told yet. */
  reportLosses(): void;
  /** Counts the changes that may give delivery something to do. */
  readonly version: number;
  /** Resolves once `version` is no longer `since`, or when the signal aborts. */
  waitForChange(since: number, signal: AbortSignal): Promise<void>;
  /** Moves what has waited too long to where it is safe; until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

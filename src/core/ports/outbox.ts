/** Ports for queued readings: the outbox and its two lanes. */

import type { LossReason, LossReport } from '../model/loss-report.ts';
import type { Reading } from '../model/reading.ts';

/** A queue of readings in the order of delivery. A reading stays until it is acknowledged. */
export interface Lane {
  /** Unacknowledged readings, taken or not. */
  readonly size: number;
  /** Changes whenever taken readings are rewound, moved or dropped: then `take` may return them again. */
  readonly epoch: number;
  /**
   * The next readings after those already taken, at most `max`, each with `tsMs`. Stops before an undated
   * reading. Never rejects.
   */
  take(max: number): Promise<readonly Reading[]>;
  /** Removes the `count` oldest taken readings. Has no effect if `epoch` is not the current one. */
  acknowledge(count: number, epoch: number): Promise<void>;
  /** `take` will return the taken, unacknowledged readings again. */
  rewind(): void;
}

/** An `AsyncSignal`. */
export interface OutboxChanges {
  /** Number of changes. */
  readonly version: number;
  addWaiter(wake: () => void): void;
  removeWaiter(wake: () => void): void;
}

/** Bounded queue of readings. When it is full, the oldest are dropped and reported in a gap record. */
export interface Outbox {
  /** Never waits and never throws, so that a failing disk does not stop sampling. */
  append(reading: Reading): void;
  /** Recent readings, delivered first. */
  readonly fresh: Lane;
  /** Older readings, on disk if possible, delivered at a limited rate. */
  readonly backlog: Lane;
  /**
   * The newest reading if it is undated and newer than all that were taken so: it may be sent without a
   * timestamp, and the server dates it. It stays in the outbox until `completeUndated`.
   */
  takeUndated(): Reading | undefined;
  completeUndated(reading: Reading, delivered: boolean): void;
  /** The next reading should be a snapshot, because the server may not have the base of a delta. */
  readonly needsSnapshot: boolean;
  /**
   * Dates the undated readings of this boot: `tsMs = bootMs + offsetMs`. Only the first call has an effect.
   */
  setBootOffset(offsetMs: number): Promise<void>;
  /** Readings that will never be delivered. */
  readonly losses: LossReport;
  /** Reports the reading as lost; the next one should be a snapshot. */
  discardReading(reading: Reading, reason: LossReason): void;
  /** Appends a gap record if there are unreported losses. */
  reportLosses(): void;
  /** Notified of each change that may allow more delivery. */
  readonly changes: OutboxChanges;
  /** Flushes old readings to disk until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

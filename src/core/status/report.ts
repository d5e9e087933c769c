/**
 * The report: how the agent is, as data, for `firstlight status` and whatever else of this host wants to know.
 *
 * Holds numbers, names, states, and words that are clean of secrets. Times are milliseconds since the boot, because the
 * calendar may be wrong and may step; `readReport` takes one from a file that anybody may have written.
 */

import type { EventId } from '../events/catalogue.ts';
import type { EventLevel } from '../events/definition.ts';
import type { FailureReason } from '../failures/failure.ts';
import type { ClockState } from '../model/clock-state.ts';

export type ReportState =
  | 'starting'
  | 'provisioning'
  | 'connecting'
  | 'online'
  | 'offline'
  | 'not provisioned';

/** `given`: by the operator; `unsaved`: the server takes it, and the disk did not; `unreadable`: on the disk, and of no use. */
export type CredentialsState =
  | 'unknown'
  | 'none'
  | 'requested'
  | 'stored'
  | 'unsaved'
  | 'unreadable'
  | 'configured';

export interface Outage {
  readonly reason: FailureReason;
  /** What was seen, in a few words. */
  readonly detail: string;
  readonly sinceBootMs: number;
  /** When the next try is due; in the past while one is under way. */
  readonly nextAttemptBootMs: number;
  /** Since the last healthy stretch, at least 1. */
  readonly attempts: number;
}

/** What the conversation knows. */
export interface ConnectionStatus {
  readonly state: ReportState;
  readonly sinceBootMs: number;
  readonly device?: string;
  readonly credentials: CredentialsState;
  readonly lastAcceptedBootMs?: number;
  /** Readings since the start. */
  readonly deliveredReadings: number;
  readonly outage?: Outage;
}

export interface StatusReport extends ConnectionStatus {
  /** The server's URL by the road in use: its scheme is the road. */
  readonly endpoint: string;
  /** The first URL of the list, where another is in use. */
  readonly preferredEndpoint?: string;
  /** Readings in memory, readings behind them, and readings that will never arrive. */
  readonly freshReadings: number;
  readonly backlogReadings: number;
  readonly lostReadings: number;
  readonly clock: ClockState;
  readonly recentEvents: readonly RecordedEvent[];
  /** Troubles that last, beside that of the conversation. */
  readonly openEvents: readonly RecordedEvent[];
  readonly eventCounts: Readonly<Partial<Record<EventId, number>>>;
}

/** Where others on this host can read how the agent is. Resolves when that is done or cannot be, and never rejects. */
export interface StatusSink {
  publish(report: StatusReport): Promise<void>;
}

export interface RecordedEvent {
  readonly event: EventId;
  readonly level: EventLevel;
  /** The sentence, "what happened: what to do". */
  readonly message: string;
  /** What was seen, where the line had it. */
  readonly detail?: string;
  /** Milliseconds since this boot. */
  readonly bootMs: number;
}

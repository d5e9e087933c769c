/**
 * The status report: the state of the agent as data, for `firstlight status` and other programs of this host.
 *
 * Contains no secrets. Times are milliseconds since boot, because the wall clock may be wrong and may step.
 */

import type { DownlinkReport } from '../downlink/downlink-status.ts';
import type { EventId } from '../events/catalogue.ts';
import type { EventLevel } from '../events/definition.ts';
import type { FailureReason } from '../failures/failure.ts';
import type { ClockState } from '../ports/clock.ts';

export type ReportState =
  | 'starting'
  | 'provisioning'
  | 'connecting'
  | 'online'
  | 'offline'
  | 'not provisioned';

/**
 * `configured`: a fixed token; `unsaved`: in use but not stored; `unreadable`: stored but damaged or of a
 * newer version.
 */
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
  /** The observation in a few words. */
  readonly detail: string;
  readonly sinceBootMs: number;
  /** Time of the next attempt; in the past while one is in progress. */
  readonly nextAttemptBootMs: number;
  /** Failures since the last healthy period, at least 1. */
  readonly attempts: number;
}

/** The state of the session. */
export interface ConnectionStatus {
  readonly state: ReportState;
  readonly sinceBootMs: number;
  readonly device?: string;
  readonly credentials: CredentialsState;
  readonly lastAcceptedBootMs?: number;
  /** Readings since start. */
  readonly deliveredReadings: number;
  readonly outage?: Outage;
}

export interface StatusReport extends ConnectionStatus {
  /** When the agent made this report: its numbers are up to a minute old. Absent in a file of an earlier version. */
  readonly asOfBootMs?: number;
  /** The URL in use; its scheme is the transport. */
  readonly endpoint: string;
  /** The first URL of the list, if another one is in use. */
  readonly preferredEndpoint?: string;
  /** Readings in the fresh lane, in the backlog, and lost. */
  readonly freshReadings: number;
  readonly backlogReadings: number;
  readonly lostReadings: number;
  readonly clock: ClockState;
  /** Absent if the agent does not listen to the server. */
  readonly downlink?: DownlinkReport;
  readonly recentEvents: readonly RecordedEvent[];
  /** Open problems other than the outage of the session. */
  readonly openEvents: readonly RecordedEvent[];
  readonly eventCounts: Readonly<Partial<Record<EventId, number>>>;
}

/** Publishes the report for other programs of this host. Never throws. */
export interface StatusSink {
  publish(report: StatusReport): void;
}

export interface RecordedEvent {
  readonly event: EventId;
  readonly level: EventLevel;
  /** The sentence "cause: remedy". */
  readonly message: string;
  /** The field `detail` of the log line. */
  readonly detail?: string;
  /** Milliseconds since this boot. */
  readonly bootMs: number;
}

/**
 * The report: how the agent is, as data, for `firstlight status` and whatever else of this host wants to know.
 *
 * Holds numbers, names, states, and words that are clean of secrets. Times are milliseconds since the boot, because the
 * calendar may be wrong and may step; `readReport` takes one from a file that anybody may have written.
 */

import type { EventId } from '../events/catalogue.ts';
import type { EventLevel } from '../events/definition.ts';
import type { RefusalReason } from '../failures/failure.ts';
import type { ClockStanding } from '../model/clock-state.ts';

export type ReportState =
  | 'starting'
  | 'provisioning'
  | 'connecting'
  | 'online'
  | 'offline'
  | 'not provisioned';

/** `given`: by the operator; `unsaved`: the server takes it, and the disk did not; `unreadable`: on the disk, and of no use. */
export type CredentialsStanding =
  | 'unknown'
  | 'none'
  | 'asked for'
  | 'stored'
  | 'unsaved'
  | 'unreadable'
  | 'given';

export interface Trouble {
  readonly reason: RefusalReason;
  /** What was seen, in a few words. */
  readonly seen: string;
  readonly sinceBootMs: number;
  /** When the next try is due; in the past while one is under way. */
  readonly nextBootMs: number;
  /** Since the last healthy stretch, at least 1. */
  readonly tries: number;
}

/** What the conversation knows. */
export interface Standing {
  readonly state: ReportState;
  readonly sinceBootMs: number;
  readonly device?: string;
  readonly credentials: CredentialsStanding;
  readonly lastAcceptedBootMs?: number;
  /** Readings since the start. */
  readonly delivered: number;
  readonly trouble?: Trouble;
}

export interface StatusReport extends Standing {
  /** The server's URL by the road in use: its scheme is the road. */
  readonly server: string;
  /** The first URL of the list, where another is in use. */
  readonly preferred?: string;
  /** Readings in memory, readings behind them, and readings that will never arrive. */
  readonly waiting: number;
  readonly spooled: number;
  readonly dropped: number;
  readonly clock: ClockStanding;
  readonly events: readonly ToldEvent[];
  /** Troubles that last, beside that of the conversation. */
  readonly open: readonly ToldEvent[];
  readonly counts: Readonly<Partial<Record<EventId, number>>>;
}

/** Where others on this host can read how the agent is. Resolves when that is done or cannot be, and never rejects. */
export interface StatusBoard {
  show(report: StatusReport): Promise<void>;
}

export interface ToldEvent {
  readonly event: EventId;
  readonly level: EventLevel;
  /** The sentence, "what happened: what to do". */
  readonly says: string;
  /** What was seen, where the line had it. */
  readonly seen?: string;
  /** Milliseconds since this boot. */
  readonly bootMs: number;
}

/**
 * The data of `firstlight status`, schema 2 of `--json`: within a schema fields are added, never changed or removed. Pure.
 *
 * Times are ISO dates of the host's clock; ages are seconds of the monotonic clock. No field contains a secret.
 */

import { STATUS_EXIT } from '../../app/exit-codes.ts';
import type { DownlinkReport } from '../../core/downlink/downlink-status.ts';
import { EVENTS, type EventId, failureEventId, splitSentence } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import type { CredentialsState, ReportState, StatusReport } from '../../core/status/report.ts';
import type { UpdateResult } from '../../core/update/installation.ts';
import type { StatusFileContent, StatusFileResult } from '../../host/systemd/status-file.ts';

export const STATUS_SCHEMA = 2;

export interface EventJson {
  readonly event: EventId;
  readonly level: EventLevel;
  readonly message: string;
  readonly detail?: string;
  readonly at: string;
  readonly agoS: number;
}

export interface StatusJson {
  readonly schema: typeof STATUS_SCHEMA;
  readonly exitCode: (typeof STATUS_EXIT)[keyof typeof STATUS_EXIT];
  readonly running: boolean;
  readonly state: ReportState | StateWithoutReport;
  /** Time in this state, s; null if unknown. */
  readonly stateForS: number | null;
  readonly stateSince: string | null;
  /** Why the agent cannot run, or why its state is unknown. */
  readonly reasons: readonly string[];
  readonly agentVersion: string | null;
  readonly pid: number | null;
  readonly transport: string | null;
  /** The endpoint in use. */
  readonly endpoint: string | null;
  /** The first endpoint of server.url, if another one is in use. */
  readonly preferredEndpoint: string | null;
  readonly device: string | null;
  readonly credentials: CredentialsState | null;
  /** Age of the numbers below, s: while online the agent publishes them once a minute. */
  readonly asOfAgoS: number | null;
  readonly lastAcceptedAt: string | null;
  readonly lastAcceptedAgoS: number | null;
  /** Since the agent started; a reload does not reset it. */
  readonly deliveredReadings: number;
  readonly freshReadings: number;
  readonly backlogReadings: number;
  readonly lostReadings: number;
  readonly clock: StatusReport['clock'] | null;
  /** Null if the agent does not listen to the server, or did not say so. */
  readonly downlink: DownlinkJson | null;
  /** Null if there is no key for updates and there was no update. */
  readonly update: UpdateJson | null;
  readonly retry: RetryJson | null;
  /** Unresolved warnings and errors, except the one in `retry`. */
  readonly openEvents: readonly EventJson[];
  /** The last events, each once with its latest occurrence, at most ten; `eventCounts` says how often. */
  readonly recentEvents: readonly EventJson[];
  readonly eventCounts: Readonly<Partial<Record<EventId, number>>>;
}

export interface DownlinkJson {
  readonly state: DownlinkReport['state'];
  /** Time in this state, s. */
  readonly stateForS: number;
  /** Last message of the server; null before the first. */
  readonly lastHeardAgoS: number | null;
  readonly detail: string | null;
}

export interface UpdateJson {
  /** Whether there is a key. */
  readonly on: boolean;
  /** How the last update ended; null if there was none. */
  readonly last: UpdateResult | null;
}

export interface RetryJson {
  readonly event: EventId;
  readonly level: EventLevel;
  readonly cause: string;
  readonly remedy: string;
  readonly detail: string;
  readonly failingForS: number;
  readonly attempts: number;
  /** 0 while an attempt is in progress. */
  readonly nextAttemptInS: number;
}

type StateWithoutReport = 'stopped' | 'failed' | 'killed' | 'not running' | 'without status' | 'unknown';

export interface Now {
  readonly bootMs: number;
  readonly wallMs: number;
  readonly bootId: string;
}

export function statusJson(statusFile: StatusFileResult, now: Now): StatusJson {
  if (statusFile.is === 'missing') return withoutReport('not running', []);
  if (statusFile.is === 'unreadable') return withoutReport('unknown', [statusFile.problem]);
  const { content, isAlive } = statusFile;
  // A file of an earlier boot, in a /run that survived it: its times are not comparable.
  if (content.agent.bootId !== now.bootId) return withoutReport('not running', []);
  return isAlive ? running(content, now) : endedJson(content, now);
}

function withoutReport(state: StatusJson['state'], reasons: readonly string[]): StatusJson {
  const unknown = { stateForS: null, stateSince: null, agentVersion: null, pid: null, ...EMPTY_REPORT };
  return {
    schema: STATUS_SCHEMA,
    exitCode: STATUS_EXIT.notRunning,
    running: false,
    state,
    reasons,
    ...unknown,
    recentEvents: [],
  };
}

const EMPTY_REPORT = {
  transport: null,
  endpoint: null,
  preferredEndpoint: null,
  device: null,
  credentials: null,
  asOfAgoS: null,
  lastAcceptedAt: null,
  lastAcceptedAgoS: null,
  deliveredReadings: 0,
  freshReadings: 0,
  backlogReadings: 0,
  lostReadings: 0,
  clock: null,
  downlink: null,
  update: null,
  retry: null,
  openEvents: [],
  eventCounts: {},
} as const;

function running(content: StatusFileContent, now: Now): StatusJson {
  const { report } = content;
  const fields = reportFields(content, now);
  if (!report)
    return {
      ...withoutReport('starting', []),
      ...fields,
      running: true,
      exitCode: STATUS_EXIT.offline,
      reasons: [],
    };
  const isActionNeeded = [...fields.openEvents, fields.retry].some((outage) => outage?.level === 'error');
  const healthyExitCode = report.state === 'online' ? STATUS_EXIT.online : STATUS_EXIT.offline;
  return {
    ...fields,
    running: true,
    state: report.state,
    exitCode: isActionNeeded ? STATUS_EXIT.actionNeeded : healthyExitCode,
    ...stateTimes(report.sinceBootMs, now),
    reasons: [],
  };
}

function endedJson(content: StatusFileContent, now: Now): StatusJson {
  const { ending } = content;
  const reasons = ending?.reasons.map(({ event, message }) => `${event}: ${message}`) ?? [];
  return {
    ...reportFields(content, now),
    retry: null,
    openEvents: [],
    running: false,
    state: ending?.outcome ?? 'killed',
    exitCode: STATUS_EXIT.notRunning,
    ...(ending ? stateTimes(ending.bootMs, now) : { stateForS: null, stateSince: null }),
    reasons,
  };
}

function reportFields({ agent, report, events: recentEvents }: StatusFileContent, now: Now) {
  const toEvents = (list: StatusFileContent['events']): EventJson[] =>
    list.map(({ bootMs, ...event }) => ({ ...event, ...eventTime(bootMs, now) }));
  const commonFields = {
    schema: STATUS_SCHEMA,
    agentVersion: agent.version,
    pid: agent.pid,
    recentEvents: toEvents(recentEvents),
  } as const;
  if (!report) return { ...EMPTY_REPORT, ...commonFields };
  const lastAccepted =
    report.lastAcceptedBootMs === undefined ? undefined : eventTime(report.lastAcceptedBootMs, now);
  return {
    ...commonFields,
    transport: report.endpoint.slice(0, report.endpoint.indexOf(':')),
    endpoint: report.endpoint,
    preferredEndpoint: report.preferredEndpoint ?? null,
    device: report.device ?? null,
    credentials: report.credentials,
    asOfAgoS: report.asOfBootMs === undefined ? null : eventTime(report.asOfBootMs, now).agoS,
    lastAcceptedAt: lastAccepted?.at ?? null,
    lastAcceptedAgoS: lastAccepted?.agoS ?? null,
    deliveredReadings: report.deliveredReadings,
    freshReadings: report.freshReadings,
    backlogReadings: report.backlogReadings,
    lostReadings: report.lostReadings,
    clock: report.clock,
    downlink: downlinkJson(report, now),
    update: null,
    retry: retryJson(report, now),
    openEvents: toEvents(report.openEvents),
    eventCounts: report.eventCounts,
  };
}

function retryJson({ outage }: StatusReport, now: Now): RetryJson | null {
  if (!outage) return null;
  const event = failureEventId(outage.reason);
  const { level, sentence } = EVENTS[event];
  const nextAttemptInS = Math.max(0, Math.ceil((outage.nextAttemptBootMs - now.bootMs) / 1000));
  const failingForS = eventTime(outage.sinceBootMs, now).agoS;
  return {
    event,
    level,
    ...splitSentence(sentence),
    detail: outage.detail,
    failingForS,
    attempts: outage.attempts,
    nextAttemptInS,
  };
}

function downlinkJson({ downlink }: StatusReport, now: Now): DownlinkJson | null {
  if (!downlink) return null;
  const { state, sinceBootMs, lastHeardBootMs, detail } = downlink;
  return {
    state,
    stateForS: eventTime(sinceBootMs, now).agoS,
    lastHeardAgoS: lastHeardBootMs === undefined ? null : eventTime(lastHeardBootMs, now).agoS,
    detail: detail ?? null,
  };
}

function stateTimes(
  sinceBootMs: number,
  now: Now,
): { readonly stateSince: string; readonly stateForS: number } {
  const { at: stateSince, agoS: stateForS } = eventTime(sinceBootMs, now);
  return { stateSince, stateForS };
}

function eventTime(bootMs: number, now: Now): { readonly at: string; readonly agoS: number } {
  const agoMs = Math.max(0, now.bootMs - bootMs);
  return { at: new Date(now.wallMs - agoMs).toISOString(), agoS: Math.round(agoMs / 1000) };
}

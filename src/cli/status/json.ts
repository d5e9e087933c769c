/**
 * What `firstlight status` answers, as data: schema 1 of `--json`. Fields are added within a schema, never changed or removed.
 *
 * Made from the status file and the time of now; pure. Times are ISO dates by this host's clock, and ages beside them in
 * seconds by the clock that never steps. No field holds a secret.
 */

import { STATUS_EXIT } from '../../app/exit-codes.ts';
import { EVENTS, type EventId, halvesOf, refusalId } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import type { CredentialsStanding, ReportState, StatusReport } from '../../core/status/report.ts';
import type { FoundStatus, StatusFileContent } from '../../host/systemd/status-file.ts';

export const STATUS_SCHEMA = 1;

export interface EventAnswer {
  readonly event: EventId;
  readonly level: EventLevel;
  readonly says: string;
  readonly seen?: string;
  readonly at: string;
  readonly agoS: number;
}

export interface StatusAnswer {
  readonly schema: typeof STATUS_SCHEMA;
  readonly exitCode: (typeof STATUS_EXIT)[keyof typeof STATUS_EXIT];
  readonly running: boolean;
  readonly state: ReportState | StateWithoutReport;
  /** In this state for so long, s; null where that is not known. */
  readonly forS: number | null;
  readonly since: string | null;
  /** Why it cannot run, or why nothing is known. */
  readonly why: readonly string[];
  readonly agentVersion: string | null;
  readonly pid: number | null;
  readonly road: string | null;
  /** By the road in use. */
  readonly server: string | null;
  /** The road that comes first in server.url, where another is in use. */
  readonly preferredServer: string | null;
  readonly device: string | null;
  readonly credentials: CredentialsStanding | null;
  readonly lastAccepted: string | null;
  readonly lastAcceptedAgoS: number | null;
  /** Since the agent started, over reloads. */
  readonly delivered: number;
  readonly waiting: number;
  readonly spooled: number;
  readonly dropped: number;
  readonly clock: StatusReport['clock'] | null;
  readonly retry: RetryAnswer | null;
  /** Troubles that last, beside the one that is being retried. */
  readonly open: readonly EventAnswer[];
  readonly events: readonly EventAnswer[];
  readonly counts: Readonly<Partial<Record<EventId, number>>>;
}

export interface RetryAnswer {
  readonly event: EventId;
  readonly level: EventLevel;
  readonly cause: string;
  readonly remedy: string;
  readonly seen: string;
  readonly sinceS: number;
  readonly tries: number;
  /** 0 while a try is under way. */
  readonly nextInS: number;
}

type StateWithoutReport = 'stopped' | 'failed' | 'killed' | 'not running' | 'without status' | 'unknown';

export interface Now {
  readonly bootMs: number;
  readonly wallMs: number;
  readonly bootId: string;
}

export function answerOf(found: FoundStatus, now: Now): StatusAnswer {
  if (found.is === 'missing') return nothing('not running', []);
  if (found.is === 'unreadable') return nothing('unknown', [found.problem]);
  const { content, isAlive } = found;
  // Of an earlier boot, on a /run that outlived it: its times mean nothing now.
  if (content.agent.bootId !== now.bootId) return nothing('not running', []);
  return isAlive ? running(content, now) : ended(content, now);
}

function nothing(state: StatusAnswer['state'], why: readonly string[]): StatusAnswer {
  const unknown = { forS: null, since: null, agentVersion: null, pid: null, ...noReport };
  return {
    schema: STATUS_SCHEMA,
    exitCode: STATUS_EXIT.notRunning,
    running: false,
    state,
    why,
    ...unknown,
    events: [],
  };
}

const noReport = {
  road: null,
  server: null,
  preferredServer: null,
  device: null,
  credentials: null,
  lastAccepted: null,
  lastAcceptedAgoS: null,
  delivered: 0,
  waiting: 0,
  spooled: 0,
  dropped: 0,
  clock: null,
  retry: null,
  open: [],
  counts: {},
} as const;

function running(content: StatusFileContent, now: Now): StatusAnswer {
  const { report } = content;
  const of = reported(content, now);
  if (!report)
    return { ...nothing('starting', []), ...of, running: true, exitCode: STATUS_EXIT.offline, why: [] };
  const isPersonal = [...of.open, of.retry].some((trouble) => trouble?.level === 'error');
  const well = report.state === 'online' ? STATUS_EXIT.online : STATUS_EXIT.offline;
  return {
    ...of,
    running: true,
    state: report.state,
    exitCode: isPersonal ? STATUS_EXIT.person : well,
    ...span(report.sinceBootMs, now),
    why: [],
  };
}

function ended(content: StatusFileContent, now: Now): StatusAnswer {
  const { ending } = content;
  const why = ending?.why.map(({ event, says }) => `${event}: ${says}`) ?? [];
  return {
    ...reported(content, now),
    retry: null,
    open: [],
    running: false,
    state: ending?.how ?? 'killed',
    exitCode: STATUS_EXIT.notRunning,
    ...(ending ? span(ending.bootMs, now) : { forS: null, since: null }),
    why,
  };
}

function reported({ agent, report, events }: StatusFileContent, now: Now) {
  const told = (list: StatusFileContent['events']): EventAnswer[] =>
    list.map(({ bootMs, ...event }) => ({ ...event, ...at(bootMs, now) }));
  const common = {
    schema: STATUS_SCHEMA,
    agentVersion: agent.version,
    pid: agent.pid,
    events: told(events),
  } as const;
  if (!report) return { ...noReport, ...common };
  const last = report.lastAcceptedBootMs === undefined ? undefined : at(report.lastAcceptedBootMs, now);
  return {
    ...common,
    road: report.server.slice(0, report.server.indexOf(':')),
    server: report.server,
    preferredServer: report.preferred ?? null,
    device: report.device ?? null,
    credentials: report.credentials,
    lastAccepted: last?.at ?? null,
    lastAcceptedAgoS: last?.agoS ?? null,
    delivered: report.delivered,
    waiting: report.waiting,
    spooled: report.spooled,
    dropped: report.dropped,
    clock: report.clock,
    retry: retryOf(report, now),
    open: told(report.open),
    counts: report.counts,
  };
}

function retryOf({ trouble }: StatusReport, now: Now): RetryAnswer | null {
  if (!trouble) return null;
  const event = refusalId(trouble.reason);
  const { level, sentence } = EVENTS[event];
  const nextInS = Math.max(0, Math.ceil((trouble.nextBootMs - now.bootMs) / 1000));
  const sinceS = at(trouble.sinceBootMs, now).agoS;
  return { event, level, ...halvesOf(sentence), seen: trouble.seen, sinceS, tries: trouble.tries, nextInS };
}

function span(sinceBootMs: number, now: Now): { readonly since: string; readonly forS: number } {
  const { at: since, agoS: forS } = at(sinceBootMs, now);
  return { since, forS };
}

function at(bootMs: number, now: Now): { readonly at: string; readonly agoS: number } {
  const agoMs = Math.max(0, now.bootMs - bootMs);
  return { at: new Date(now.wallMs - agoMs).toISOString(), agoS: Math.round(agoMs / 1000) };
}

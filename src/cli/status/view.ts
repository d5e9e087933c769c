/** The text of `firstlight status`: one screen, most important first. Pure. */

import { STATUS_EXIT } from '../../app/exit-codes.ts';
import { splitSentence } from '../../core/events/catalogue.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import { describeResult } from '../../core/update/installation.ts';
import { labelledLines, type Style, type StyleText, wrapText } from '../ui/style.ts';
import type { DownlinkJson, EventJson, StatusJson, UpdateJson } from './json.ts';

const LABEL = 13;
const START_HINT = 'start it: sudo systemctl start firstlight';
const DOCTOR_HINT = 'no response yet: "sudo firstlight doctor" checks each step from this host to the server';
/** A reachable server responds within seconds. */
const WAITING_LONG_S = 10;
const JOURNAL_HINT = 'journalctl -u firstlight shows its log';

/** Lines of at most `width` columns. */
export function statusLines(status: StatusJson, width: number, styleText: StyleText): readonly string[] {
  const row = (label: string, text: string) => labelledLines(`  ${label}`, text, LABEL, width);
  const head = wrapText(headline(status), width).map((line) => styleText(styleOf(status), line));
  const reasons = status.reasons.flatMap((text) => row('cause', text));
  if (status.state === 'without status') return [...head, ...reasons, ...row('see', JOURNAL_HINT)];
  if (!status.running && status.endpoint === null)
    return [...head, ...reasons, ...row('action', actionOf(status))];
  return [
    ...head,
    ...reasons,
    ...(status.running ? [] : row('action', actionOf(status))),
    ...row('endpoint', endpointText(status)),
    ...row(
      'device',
      `${status.device ?? 'no name yet'}, credentials ${CREDENTIALS[status.credentials ?? 'unknown']}`,
    ),
    ...(status.running ? row('readings', readingsOf(status)) : []),
    ...(status.clock && status.running ? row('clock', CLOCKS[status.clock]) : []),
    ...(status.downlink && status.running ? row('downlink', downlinkText(status.downlink)) : []),
    ...(status.update ? row('update', updateText(status.update)) : []),
    ...retryLines(status, row),
    ...(isFirstResponseLate(status) ? row('see', DOCTOR_HINT) : []),
    ...status.openEvents.flatMap((event) => row('also', `${event.event}: ${event.message}`)),
    ...(status.recentEvents.length > 0 ? ['  last events'] : []),
    ...status.recentEvents.flatMap((event) =>
      eventLines(event, status.eventCounts[event.event] ?? 1, width, styleText),
    ),
  ];
}

/** Requests have long time-outs: point to the doctor before the first one has timed out. */
function isFirstResponseLate({ running, state, stateForS, retry }: StatusJson): boolean {
  const isFirst = state === 'connecting' || state === 'provisioning';
  return running && isFirst && retry === null && (stateForS ?? 0) >= WAITING_LONG_S;
}

function endpointText({ endpoint, preferredEndpoint }: StatusJson): string {
  const fallbackText = preferredEndpoint === null ? '' : `, because ${preferredEndpoint} does not work now`;
  return `${endpoint ?? 'not known yet'}${fallbackText}`;
}

function headline(status: StatusJson): string {
  const { state, stateForS } = status;
  const name = `firstlight${status.agentVersion === null ? '' : ` ${status.agentVersion}`}`;
  const duration = stateForS === null ? '' : ` for ${formatDuration(stateForS * 1000)}`;
  switch (state) {
    case 'online':
    case 'offline':
    case 'not provisioned':
    case 'provisioning': {
      const isUnreadable = state === 'not provisioned' && status.credentials === 'unreadable';
      const stateSince = status.stateSince === null ? '' : `, since ${status.stateSince}`;
      return `${name} ${isUnreadable ? 'cannot read its credentials' : `is ${state}`}${duration}${stateSince}`;
    }
    case 'starting':
      return `${name} is starting: it waits a random time (server.spread) before its first request`;
    case 'connecting':
      return `${name} is waiting for the server's first response${duration}`;
    case 'stopped':
      return `${name} is not running: it was stopped ${formatAgo(stateForS)}`;
    case 'failed':
      return `${name} is not running: it failed ${formatAgo(stateForS)}`;
    case 'killed':
      return `${name} is not running: it exited without writing a status (killed, crashed or out of memory)`;
    case 'not running':
      return `${name} is not running and has not run since this host booted`;
    case 'without status':
      return `${name} is running but writes no status`;
    case 'unknown':
      return `${name}: unknown, because the status cannot be read`;
  }
}

function formatAgo(stateForS: number | null): string {
  return stateForS === null ? 'at an unknown time' : `${formatDuration(stateForS * 1000)} ago`;
}

function actionOf({ state }: StatusJson): string {
  if (state === 'failed')
    return 'correct the cause above, then: sudo systemctl restart firstlight (unless it was stopped, systemd also retries with increasing intervals)';
  if (state === 'unknown') return 'run with sudo, or name the runtime directory of the agent: --runtime DIR';
  return `${START_HINT}; ${JOURNAL_HINT}`;
}

function styleOf({ exitCode }: StatusJson): Style {
  if (exitCode === STATUS_EXIT.online) return 'good';
  return exitCode === STATUS_EXIT.offline ? 'wait' : 'bad';
}

function updateText({ on, last }: UpdateJson): string {
  const state = on ? 'on' : 'off, because there is no key';
  return last ? `${state}; last: ${describeResult(last)}` : state;
}

const CREDENTIALS = {
  unknown: 'not read yet',
  none: 'none',
  requested: 'requested',
  stored: 'stored',
  unsaved: 'in memory only (a power cut would lose them)',
  unreadable: 'cannot be read',
  configured: 'from the configuration',
} as const satisfies Record<NonNullable<StatusJson['credentials']>, string>;

const CLOCKS = {
  trusted: 'trusted without synchronisation (clock.trust = "system")',
  synchronised: 'synchronised',
  'step unconfirmed': 'step not confirmed by a time service: readings keep the previous time',
  'not synchronised': 'not synchronised: readings are held, or sent without a timestamp',
} as const satisfies Record<NonNullable<StatusJson['clock']>, string>;

function readingsOf({
  deliveredReadings,
  lastAcceptedAgoS,
  freshReadings,
  backlogReadings,
  lostReadings,
  asOfAgoS,
}: StatusJson): string {
  const last =
    lastAcceptedAgoS === null ? 'none accepted yet' : `last accepted ${formatAgo(lastAcceptedAgoS)}`;
  return `${deliveredReadings} delivered, ${last}; ${freshReadings} fresh, ${backlogReadings} in the backlog, ${lostReadings} lost${asOfAgoS ? ` (numbers of ${formatAgo(asOfAgoS)})` : ''}`;
}

function downlinkText({ state, stateForS, lastHeardAgoS, detail }: DownlinkJson): string {
  const heard = lastHeardAgoS === null ? '' : `, last heard ${formatDuration(lastHeardAgoS * 1000)} ago`;
  const duration = formatDuration(stateForS * 1000);
  switch (state) {
    case 'off':
      return 'off: the agent listens to neither shared attributes nor commands';
    case 'waiting':
      return `waiting for accepted telemetry for ${duration}${heard}`;
    case 'listening':
      return `listening to the server for ${duration}${heard}`;
    case 'failing':
      return `no subscription for ${duration}${heard}${detail === null ? '' : ` (${detail})`}`;
  }
}

function retryLines(
  { retry }: StatusJson,
  row: (label: string, text: string) => readonly string[],
): readonly string[] {
  if (!retry) return [];
  const next =
    retry.nextAttemptInS === 0
      ? 'attempt in progress'
      : `next attempt in ${formatDuration(retry.nextAttemptInS * 1000)}`;
  return [
    ...row('cause', `${retry.event}: ${retry.cause} (${retry.detail})`),
    ...row('action', retry.remedy),
    ...row(
      'retry',
      `${next}; failed ${retry.attempts === 1 ? 'once' : `${retry.attempts} times`} in ${formatDuration(retry.failingForS * 1000)}`,
    ),
  ];
}

/** `count`: occurrences since the agent started; the time is that of the last one. */
function eventLines(event: EventJson, count: number, width: number, styleText: StyleText): readonly string[] {
  const times = count > 1 ? ` (${count} times)` : '';
  const label = `  ${formatDuration(event.agoS * 1000)} ago`.padEnd(LABEL + 4);
  const [first = '', ...furtherLines] = labelledLines(
    label,
    `${event.event} ${splitSentence(event.message).cause}${times}`,
    LABEL + 4,
    width,
  );
  const style = event.level === 'error' ? 'bad' : 'wait';
  return [first, ...furtherLines].map((line) => (event.level === 'info' ? line : styleText(style, line)));
}

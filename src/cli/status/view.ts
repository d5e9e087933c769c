/** What `firstlight status` shows to people: one screen, most important first. Pure. */

import { STATUS_EXIT } from '../../app/exit-codes.ts';
import { halvesOf } from '../../core/events/catalogue.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import { labelled, type Paint, type Tone, wrapped } from '../ui/style.ts';
import type { EventAnswer, StatusAnswer } from './json.ts';

const LABEL = 13;
const START_IT = 'start it: sudo systemctl start firstlight';
const DOCTOR = 'no answer yet: "sudo firstlight doctor" looks at each step of the way to the server';
/** A server that is there answers within seconds. */
const WAITING_LONG_S = 10;
const LOOK = 'journalctl -u firstlight shows what it told before';

/** Lines of at most `width` columns. */
export function statusLines(answer: StatusAnswer, width: number, paint: Paint): readonly string[] {
  const row = (label: string, text: string) => labelled(`  ${label}`, text, LABEL, width);
  const head = wrapped(headline(answer), width).map((line) => paint(toneOf(answer), line));
  const why = answer.why.flatMap((text) => row('why', text));
  if (answer.state === 'without status') return [...head, ...why, ...row('see', LOOK)];
  if (!answer.running && answer.server === null) return [...head, ...why, ...row('to do', toDo(answer))];
  return [
    ...head,
    ...why,
    ...(answer.running ? [] : row('to do', toDo(answer))),
    ...row('server', serverOf(answer)),
    ...row(
      'device',
      `${answer.device ?? 'no name yet'}, credentials ${CREDENTIALS[answer.credentials ?? 'unknown']}`,
    ),
    ...(answer.running ? row('readings', readingsOf(answer)) : []),
    ...(answer.clock && answer.running ? row('clock', CLOCKS[answer.clock]) : []),
    ...retryLines(answer, row),
    ...(isWaitingLong(answer) ? row('see', DOCTOR) : []),
    ...answer.open.flatMap((event) => row('also', `${event.event}: ${event.says}`)),
    ...(answer.events.length > 0 ? ['  last events'] : []),
    ...answer.events.flatMap((event) => eventLines(event, width, paint)),
  ];
}

/** Requests are patient: long before the first one is given up, a person wants to know where to look. */
function isWaitingLong({ running, state, forS, retry }: StatusAnswer): boolean {
  const isFirst = state === 'connecting' || state === 'provisioning';
  return running && isFirst && retry === null && (forS ?? 0) >= WAITING_LONG_S;
}

function serverOf({ server, preferredServer }: StatusAnswer): string {
  const instead = preferredServer === null ? '' : `, because ${preferredServer} does not work now`;
  return `${server ?? 'not known yet'}${instead}`;
}

function headline(answer: StatusAnswer): string {
  const { state, forS } = answer;
  const name = `firstlight${answer.agentVersion === null ? '' : ` ${answer.agentVersion}`}`;
  const lasts = forS === null ? '' : ` for ${formatDuration(forS * 1000)}`;
  switch (state) {
    case 'online':
    case 'offline':
    case 'not provisioned':
    case 'provisioning': {
      const isBlind = state === 'not provisioned' && answer.credentials === 'unreadable';
      const since = answer.since === null ? '' : `, since ${answer.since}`;
      return `${name} ${isBlind ? 'cannot read its credentials' : `is ${state}`}${lasts}${since}`;
    }
    case 'starting':
      return `${name} is starting: it waits for its turn to send`;
    case 'connecting':
      return `${name} waits for the server's first answer${lasts}`;
    case 'stopped':
      return `${name} is not running: it was stopped ${ago(forS)}`;
    case 'failed':
      return `${name} is not running: it could not go on, ${ago(forS)}`;
    case 'killed':
      return `${name} is not running: it ended without a word (killed, crashed, or out of memory)`;
    case 'not running':
      return `${name} is not running, and has left no status since this host booted`;
    case 'without status':
      return `${name} runs, but keeps no status, so nothing else is known of it`;
    case 'unknown':
      return `${name}: nothing is known, because its status cannot be read`;
  }
}

function ago(forS: number | null): string {
  return forS === null ? 'some time ago' : `${formatDuration(forS * 1000)} ago`;
}

function toDo({ state }: StatusAnswer): string {
  if (state === 'failed')
    return 'correct what is said above, then: sudo systemctl restart firstlight (systemd tries it by itself as well, ever more seldom, unless it was stopped)';
  if (state === 'unknown') return 'ask as root, or for the directory that the agent writes to: --runtime DIR';
  return `${START_IT}; ${LOOK}`;
}

function toneOf({ exitCode }: StatusAnswer): Tone {
  if (exitCode === STATUS_EXIT.online) return 'good';
  return exitCode === STATUS_EXIT.offline ? 'wait' : 'bad';
}

const CREDENTIALS = {
  unknown: 'not read yet',
  none: 'none',
  'asked for': 'being asked for',
  stored: 'stored',
  unsaved: 'in memory only, a power cut would lose them',
  unreadable: 'cannot be read',
  given: 'given by the configuration',
} as const satisfies Record<NonNullable<StatusAnswer['credentials']>, string>;

const CLOCKS = {
  trusted: 'believed as it is (clock.trust = "system")',
  synchronised: 'synchronised',
  doubted: 'was set, and no time service confirms it: readings keep to the time before',
  'not synchronised': 'not synchronised: readings wait for their dates, or go without',
} as const satisfies Record<NonNullable<StatusAnswer['clock']>, string>;

function readingsOf({ delivered, lastAcceptedAgoS, waiting, spooled, dropped }: StatusAnswer): string {
  const last = lastAcceptedAgoS === null ? 'none accepted yet' : `last accepted ${ago(lastAcceptedAgoS)}`;
  return `${delivered} delivered, ${last}; ${waiting} waiting, ${spooled} spooled, ${dropped} dropped`;
}

function retryLines(
  { retry }: StatusAnswer,
  row: (label: string, text: string) => readonly string[],
): readonly string[] {
  if (!retry) return [];
  const next =
    retry.nextInS === 0 ? 'a try is under way' : `next try in ${formatDuration(retry.nextInS * 1000)}`;
  return [
    ...row('why', `${retry.event}: ${retry.cause} (${retry.seen})`),
    ...row('to do', retry.remedy),
    ...row(
      'retry',
      `${next}; refused ${retry.tries === 1 ? 'once' : `${retry.tries} times`} in ${formatDuration(retry.sinceS * 1000)}`,
    ),
  ];
}

function eventLines(event: EventAnswer, width: number, paint: Paint): readonly string[] {
  const label = `  ${formatDuration(event.agoS * 1000)} ago`.padEnd(LABEL + 4);
  const [first = '', ...more] = labelled(
    label,
    `${event.event} ${halvesOf(event.says).cause}`,
    LABEL + 4,
    width,
  );
  const tone = event.level === 'error' ? 'bad' : 'wait';
  return [first, ...more].map((line) => (event.level === 'info' ? line : paint(tone, line)));
}

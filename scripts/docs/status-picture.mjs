/** docs/images/status.svg: `firstlight status` of a healthy gateway, and of one whose server is down; times are fixed. */

import { loadEvents, loadStatusView } from '../lib/sources.mjs';
import { renderTerminal } from './terminal-svg.mjs';

const COLUMNS = 90;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW = { bootMs: 12 * DAY_MS + 200 * MINUTE_MS, wallMs: Date.UTC(2026, 10, 27, 9, 30), bootId: 'boot' };
/** Of the second status; the first line of its explanation. */
const FAILURE_ID = 'FL-SILENT';
const before = (ms) => NOW.bootMs - ms;

export async function statusPicture() {
  const { events } = await loadEvents();
  const { statusLines, answerOf, paintFor, version } = await loadStatusView();
  const paint = paintFor({ isLive: true });
  const event = (id, agoMs) => ({
    event: id,
    level: events[id].level,
    says: events[id].sentence,
    bootMs: before(agoMs),
  });
  const status = (changes, history) => {
    const report = { ...REPORT, ...changes };
    const agent = { version, pid: 612, startTicks: 1, bootId: NOW.bootId };
    const content = { version: 1, agent, report, events: history };
    const answer = answerOf({ is: 'there', content, isAlive: true }, NOW);
    return ['\x1b[1m$ firstlight status\x1b[0m', ...statusLines(answer, COLUMNS, paint)];
  };
  const history = HISTORY.map(([id, agoMs]) => event(id, agoMs));
  const lines = [...status({}, history), '', ...status(OUTAGE, [])];
  if (lines.some((line) => /undefined|NaN/.test(line)) || !lines.some((line) => line.includes(FAILURE_ID)))
    throw new Error(`scripts/docs/status-picture.mjs does not fit the status report:\n${lines.join('\n')}`);
  return renderTerminal(lines, {
    columns: COLUMNS,
    title: 'gateway',
    label: 'Output of firstlight status: a gateway that is online, and one whose server does not answer',
  });
}

const REPORT = {
  state: 'online',
  sinceBootMs: before(4 * DAY_MS),
  device: 'gw-10000000c0ffee42',
  credentials: 'stored',
  lastAcceptedBootMs: before(4 * SECOND_MS),
  server: 'coap://thingsboard.example.com',
  delivered: 105_240,
  waiting: 0,
  spooled: 0,
  dropped: 0,
  clock: 'synchronised',
  events: [],
  open: [],
  counts: {},
};

const HISTORY = [
  ['FL-PROVISIONED', 12 * DAY_MS],
  ['FL-FIRST-TELEMETRY', 12 * DAY_MS],
];

const OUTAGE = {
  state: 'offline',
  sinceBootMs: before(25 * MINUTE_MS),
  lastAcceptedBootMs: before(25 * MINUTE_MS),
  waiting: 150,
  spooled: 144,
  trouble: {
    reason: 'silent',
    seen: 'no answer within 93 s',
    sinceBootMs: before(23 * MINUTE_MS),
    nextBootMs: NOW.bootMs + 48 * SECOND_MS,
    tries: 14,
  },
};

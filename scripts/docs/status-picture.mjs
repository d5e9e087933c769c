/** docs/images/status.svg: `firstlight status` of a healthy gateway, and of one whose server is down; times are fixed. */

import { loadEvents, loadStatusView } from '../lib/sources.mjs';
import { renderTerminal } from './terminal-svg.mjs';

const COLUMNS = 90;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW = { bootMs: 12 * DAY_MS + 200 * MINUTE_MS, wallMs: Date.UTC(2026, 10, 27, 9, 30), bootId: 'boot' };
/** Of the second status; the first line of its explanation. */
const FAILURE_ID = 'FL-SERVER-TIMEOUT';
const before = (ms) => NOW.bootMs - ms;

export async function statusPicture() {
  const { events } = await loadEvents();
  const { statusLines, statusJson, styleFor, version } = await loadStatusView();
  const style = styleFor({ isLive: true });
  const event = (id, agoMs) => ({
    event: id,
    level: events[id].level,
    message: events[id].sentence,
    bootMs: before(agoMs),
  });
  const status = (changes, history) => {
    const report = { ...REPORT, ...changes };
    const agent = { version, pid: 612, startTicks: 1, bootId: NOW.bootId };
    const content = { version: 2, agent, report, events: history };
    const answer = statusJson({ is: 'there', content, isAlive: true }, NOW);
    return ['\x1b[1m$ firstlight status\x1b[0m', ...statusLines(answer, COLUMNS, style)];
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
  endpoint: 'coap://thingsboard.example.com',
  deliveredReadings: 105_240,
  freshReadings: 0,
  backlogReadings: 0,
  lostReadings: 0,
  clock: 'synchronised',
  recentEvents: [],
  openEvents: [],
  eventCounts: {},
};

const HISTORY = [
  ['FL-PROVISIONING-COMPLETED', 12 * DAY_MS],
  ['FL-TELEMETRY-STARTED', 12 * DAY_MS],
];

const OUTAGE = {
  state: 'offline',
  sinceBootMs: before(25 * MINUTE_MS),
  lastAcceptedBootMs: before(25 * MINUTE_MS),
  freshReadings: 150,
  backlogReadings: 144,
  outage: {
    reason: 'server-timeout',
    detail: 'no response from 203.0.113.7:5683 within 45 s',
    sinceBootMs: before(23 * MINUTE_MS),
    nextAttemptBootMs: NOW.bootMs + 48 * SECOND_MS,
    attempts: 14,
  },
};

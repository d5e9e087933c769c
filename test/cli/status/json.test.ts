/** The answer of `firstlight status`: exit codes, ages, and that a file of another process or boot is not believed. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type StatusJson, statusJson } from '../../../src/cli/status/json.ts';
import { statusLines } from '../../../src/cli/status/view.ts';
import { styleFor } from '../../../src/cli/ui/style.ts';
import type { FailureReason } from '../../../src/core/failures/failure.ts';
import type { StatusReport } from '../../../src/core/status/report.ts';
import type { StatusFileContent, StatusFileResult } from '../../../src/host/systemd/status-file.ts';

const NOW = { bootMs: 100_000, wallMs: Date.UTC(2026, 10, 26, 12), bootId: 'this-boot' };
const AGENT = { version: '0.1.0', pid: 7, startTicks: 1, bootId: NOW.bootId };
const ONLINE: StatusReport = {
  state: 'online',
  sinceBootMs: 40_000,
  device: 'gw-1',
  credentials: 'stored',
  lastAcceptedBootMs: 96_000,
  deliveredReadings: 132,
  endpoint: 'coap://things.example',
  freshReadings: 1,
  backlogReadings: 0,
  lostReadings: 0,
  clock: 'synchronised',
  recentEvents: [],
  openEvents: [],
  eventCounts: {},
};
const trouble = (reason: FailureReason) => ({
  reason,
  detail: 'no answer in 45 s',
  sinceBootMs: 50_000,
  nextAttemptBootMs: 112_000,
  attempts: 3,
});

function found(content: Partial<StatusFileContent>, isAlive = true): StatusFileResult {
  return { is: 'there', isAlive, content: { version: 2, agent: AGENT, events: [], ...content } };
}

const answered = (report: StatusReport) => statusJson(found({ report }), NOW);
const textOf = (answer: StatusJson, width = 80) =>
  statusLines(answer, width, styleFor({ isLive: false })).join('\n');

describe('the exit code of status', () => {
  const open = [
    { event: 'FL-DISK-WRITE-FAILED', level: 'error', message: 'the disk refuses: check it', bootMs: 1 },
  ] as const;
  const CASES: readonly (readonly [what: string, found: StatusFileResult, code: number, state: string])[] = [
    ['0 online', found({ report: ONLINE }), 0, 'online'],
    [
      '1 offline, and it will heal',
      found({ report: { ...ONLINE, state: 'offline', outage: trouble('server-timeout') } }),
      1,
      'offline',
    ],
    ['1 while it starts', found({}), 1, 'starting'],
    [
      '2 when the server wants something changed',
      found({ report: { ...ONLINE, state: 'not provisioned', outage: trouble('provisioning-key-unknown') } }),
      2,
      'not provisioned',
    ],
    ['2 online on a disk that refuses', found({ report: { ...ONLINE, openEvents: open } }), 2, 'online'],
    ['3 without a file', { is: 'missing' }, 3, 'not running'],
    ['3 with one that cannot be read', { is: 'unreadable', problem: 'EACCES' }, 3, 'unknown'],
    ['3 after a kill', found({ report: ONLINE }, false), 3, 'killed'],
    [
      '3 of another boot',
      found({ report: ONLINE, agent: { ...AGENT, bootId: 'another' } }),
      3,
      'not running',
    ],
    [
      '3 after a stop',
      found(
        { report: ONLINE, ending: { outcome: 'stopped', exitCode: 0, bootMs: 90_000, reasons: [] } },
        false,
      ),
      3,
      'stopped',
    ],
  ];
  for (const [what, given, code, state] of CASES) {
    it(what, () => {
      const answer = statusJson(given, NOW);
      assert.deepEqual([answer.exitCode, answer.state, answer.running], [code, state, code !== 3]);
    });
  }
});

it('ages are by the clock that never steps, dates by the calendar of now', () => {
  const answer = answered(ONLINE);
  assert.deepEqual([answer.stateForS, answer.lastAcceptedAgoS], [60, 4]);
  assert.equal(answer.lastAcceptedAt, '2026-11-26T11:59:56.000Z');
});

it('a trouble is told with its cause, what to do, what was seen, and when the next try is', () => {
  const text = textOf(answered({ ...ONLINE, state: 'offline', outage: trouble('server-timeout') }), 200);
  assert.match(text, /^firstlight 0\.1\.0 is offline for 1 min/);
  assert.match(text, /why +FL-SERVER-TIMEOUT: the server does not respond \(no answer in 45 s\)/);
  assert.match(text, /to do +check that it runs/);
  assert.match(text, /retry +next try in 12 s; refused 3 times in 50 s/);
});

it('credentials that cannot be read are not called "not provisioned"', () => {
  const report = {
    ...ONLINE,
    state: 'not provisioned',
    credentials: 'unreadable',
    outage: trouble('credentials-unreadable'),
  } as const;
  const answer = answered(report);
  assert.equal(answer.exitCode, 2);
  const text = textOf(answer, 200);
  assert.match(text, /^firstlight 0\.1\.0 cannot read its credentials for 1 min/);
  assert.match(text, /why +FL-CREDENTIALS-UNREADABLE: .*both files are damaged/);
  assert.match(text, /to do +restore credentials\.json from a backup, run firstlight credentials set/);
});

it('a first answer that does not come points at the doctor, long before the request is given up', () => {
  const waiting = (sinceBootMs: number) =>
    textOf(answered({ ...ONLINE, state: 'connecting', sinceBootMs }), 200);
  assert.match(waiting(NOW.bootMs - 25_000), /see +no answer yet: "sudo firstlight doctor"/);
  assert.doesNotMatch(waiting(NOW.bootMs - 3_000), /doctor/);
});

it('a start that failed says why', () => {
  const reasons = [{ event: 'FL-CONFIG-INVALID', message: 'f.toml:1: server.url is missing' }] as const;
  const answer = statusJson(
    found({ ending: { outcome: 'failed', exitCode: 78, bootMs: 1, reasons } }, false),
    NOW,
  );
  assert.match(textOf(answer), /why +FL-CONFIG-INVALID: f\.toml:1: server\.url is missing/);
});

describe('the text', () => {
  const withReport = answered({ ...ONLINE, state: 'offline', outage: trouble('provisioning-key-unknown') });

  it('fits the width it is given', () => {
    for (const width of [60, 80, 120])
      for (const line of textOf(withReport, width).split('\n')) assert.ok(line.length <= width, line);
  });

  it('has no control character where it is not a terminal, and colours where it is', () => {
    assert.ok(!textOf(withReport).includes('\u001b'));
    const styled = statusLines(withReport, 80, styleFor({ isLive: true })).join('\n');
    assert.ok(styled.includes('\u001b[31m'));
  });

  it('fits a screen of 24 rows with five events', () => {
    const event = {
      event: 'FL-SERVER-TIMEOUT',
      level: 'warn',
      message: 'the server does not respond: check',
      bootMs: 1,
    } as const;
    const events = [event, event, event, event, event];
    const report = { ...ONLINE, state: 'offline', trouble: trouble('server-timeout') } as const;
    const answer = statusJson(found({ report, events }), NOW);
    assert.ok(textOf(answer).split('\n').length <= 24);
  });
});

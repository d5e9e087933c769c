/** The data and text of `firstlight status`: exit codes, ages, and files of another process or boot. */

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
const outageOf = (reason: FailureReason) => ({
  reason,
  detail: 'no answer in 45 s',
  sinceBootMs: 50_000,
  nextAttemptBootMs: 112_000,
  attempts: 3,
});

function fileWith(content: Partial<StatusFileContent>, isAlive = true): StatusFileResult {
  return { is: 'there', isAlive, content: { version: 2, agent: AGENT, events: [], ...content } };
}

const statusFor = (report: StatusReport) => statusJson(fileWith({ report }), NOW);
const textOf = (status: StatusJson, width = 80) =>
  statusLines(status, width, styleFor({ isLive: false })).join('\n');

describe('the exit code of status', () => {
  const open = [
    {
      event: 'FL-DISK-WRITE-FAILED',
      level: 'error',
      message: 'the disk cannot be written: check it',
      bootMs: 1,
    },
  ] as const;
  const CASES: readonly (readonly [what: string, found: StatusFileResult, code: number, state: string])[] = [
    ['0 online', fileWith({ report: ONLINE }), 0, 'online'],
    [
      '1 offline with a temporary failure',
      fileWith({ report: { ...ONLINE, state: 'offline', outage: outageOf('server-timeout') } }),
      1,
      'offline',
    ],
    ['1 while it starts', fileWith({}), 1, 'starting'],
    [
      '2 if the server needs a change',
      fileWith({
        report: { ...ONLINE, state: 'not provisioned', outage: outageOf('provisioning-key-unknown') },
      }),
      2,
      'not provisioned',
    ],
    ['2 online with a failing disk', fileWith({ report: { ...ONLINE, openEvents: open } }), 2, 'online'],
    ['3 without a file', { is: 'missing' }, 3, 'not running'],
    ['3 with an unreadable file', { is: 'unreadable', problem: 'EACCES' }, 3, 'unknown'],
    ['3 after a kill', fileWith({ report: ONLINE }, false), 3, 'killed'],
    [
      '3 of another boot',
      fileWith({ report: ONLINE, agent: { ...AGENT, bootId: 'another' } }),
      3,
      'not running',
    ],
    [
      '3 after a stop',
      fileWith(
        { report: ONLINE, ending: { outcome: 'stopped', exitCode: 0, bootMs: 90_000, reasons: [] } },
        false,
      ),
      3,
      'stopped',
    ],
  ];
  for (const [what, given, code, state] of CASES) {
    it(what, () => {
      const status = statusJson(given, NOW);
      assert.deepEqual([status.exitCode, status.state, status.running], [code, state, code !== 3]);
    });
  }
});

it('ages follow the monotonic clock, dates the present wall clock', () => {
  const status = statusFor(ONLINE);
  assert.deepEqual([status.stateForS, status.lastAcceptedAgoS], [60, 4]);
  assert.equal(status.lastAcceptedAt, '2026-11-26T11:59:56.000Z');
});

it('a failure is shown with cause, action, detail and next attempt', () => {
  const text = textOf(statusFor({ ...ONLINE, state: 'offline', outage: outageOf('server-timeout') }), 200);
  assert.match(text, /^firstlight 0\.1\.0 is offline for 1 min/);
  assert.match(text, /cause +FL-SERVER-TIMEOUT: the server does not respond \(no answer in 45 s\)/);
  assert.match(text, /action +check that it runs/);
  assert.match(text, /retry +next attempt in 12 s; failed 3 times in 50 s/);
});

it('unreadable credentials are not shown as "not provisioned"', () => {
  const report = {
    ...ONLINE,
    state: 'not provisioned',
    credentials: 'unreadable',
    outage: outageOf('credentials-unreadable'),
  } as const;
  const status = statusFor(report);
  assert.equal(status.exitCode, 2);
  const text = textOf(status, 200);
  assert.match(text, /^firstlight 0\.1\.0 cannot read its credentials for 1 min/);
  assert.match(text, /cause +FL-CREDENTIALS-UNREADABLE: .*both files are damaged/);
  assert.match(text, /action +restore credentials\.json from a backup, run firstlight credentials set/);
});

it('a missing first response points to the doctor after 10 s', () => {
  const waiting = (sinceBootMs: number) =>
    textOf(statusFor({ ...ONLINE, state: 'connecting', sinceBootMs }), 200);
  assert.match(waiting(NOW.bootMs - 25_000), /see +no response yet: "sudo firstlight doctor"/);
  assert.doesNotMatch(waiting(NOW.bootMs - 3_000), /doctor/);
});

it('a failed start shows its cause', () => {
  const reasons = [{ event: 'FL-CONFIG-INVALID', message: 'f.toml:1: server.url is missing' }] as const;
  const status = statusJson(
    fileWith({ ending: { outcome: 'failed', exitCode: 78, bootMs: 1, reasons } }, false),
    NOW,
  );
  assert.match(textOf(status), /cause +FL-CONFIG-INVALID: f\.toml:1: server\.url is missing/);
});

describe('the text of status', () => {
  const withReport = statusFor({ ...ONLINE, state: 'offline', outage: outageOf('provisioning-key-unknown') });

  it('fits the given width', () => {
    for (const width of [60, 80, 120])
      for (const line of textOf(withReport, width).split('\n')) assert.ok(line.length <= width, line);
  });

  it('has colours on a terminal and no control character elsewhere', () => {
    assert.ok(!textOf(withReport).includes('\u001b'));
    const styled = statusLines(withReport, 80, styleFor({ isLive: true })).join('\n');
    assert.ok(styled.includes('\u001b[31m'));
  });

  it('fits a screen of 24 rows with ten events', () => {
    const event = {
      event: 'FL-SERVER-TIMEOUT',
      level: 'warn',
      message: 'the server does not respond: check',
      bootMs: 1,
    } as const;
    const events = Array.from({ length: 10 }, () => event);
    const report = { ...ONLINE, state: 'offline', outage: outageOf('server-timeout') } as const;
    const status = statusJson(fileWith({ report, events }), NOW);
    assert.ok(textOf(status).split('\n').length <= 24);
  });

  it('says how often an event occurred if more than once', () => {
    const events = [
      { event: 'FL-CREDENTIALS-FOUND', level: 'info', message: 'credentials found', bootMs: 1 },
      { event: 'FL-SERVER-REACHABLE', level: 'info', message: 'the server responds again', bootMs: 2 },
    ] as const;
    const report = { ...ONLINE, eventCounts: { 'FL-CREDENTIALS-FOUND': 1, 'FL-SERVER-REACHABLE': 7 } };
    const text = textOf(statusJson(fileWith({ report, events }), NOW));
    assert.match(text, /FL-CREDENTIALS-FOUND credentials found$/m);
    assert.match(text, /FL-SERVER-REACHABLE the server responds again \(7 times\)$/m);
  });
});

describe('the downlink in the status', () => {
  it('shows since when the agent listens and when it last heard the server', () => {
    const downlink = { state: 'listening', sinceBootMs: 40_000, lastHeardBootMs: 98_000 } as const;
    const status = statusFor({ ...ONLINE, downlink });
    assert.deepEqual(status.downlink, { state: 'listening', stateForS: 60, lastHeardAgoS: 2, detail: null });
    assert.match(textOf(status), /downlink +listening to the server for 1 min.*, last heard 2 s ago/);
  });

  it('shows why there is no subscription', () => {
    const downlink = {
      state: 'failing',
      sinceBootMs: 40_000,
      reason: 'server-timeout',
      detail: 'no response',
    };
    const status = statusFor({ ...ONLINE, downlink: { ...downlink } as StatusReport['downlink'] & object });
    assert.match(textOf(status), /downlink +no subscription for 1 min.*\(no response\)/);
  });

  it('is absent if the agent does not listen', () => {
    assert.equal(statusFor(ONLINE).downlink, null);
    assert.doesNotMatch(textOf(statusFor(ONLINE)), /downlink/);
  });
});

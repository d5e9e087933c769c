/**
 * The log of the session: each change once with its remedy, and the end of an outage with its duration. The
 * steps come from the real session machine, so that both stay consistent.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAILURE_SENTENCES } from '../../../src/core/events/failure-sentences.ts';
import type { FailureReason } from '../../../src/core/failures/failure.ts';
import { FAILURE_POLICIES } from '../../../src/core/failures/policies.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { INITIAL_STATE, nextState } from '../../../src/core/session/machine.ts';
import { SessionLog } from '../../../src/core/session/session-log.ts';
import type { SessionEvent, SessionState } from '../../../src/core/session/state.ts';
import { FAILURE_REASONS, failureOf } from '../../doubles/failures.ts';
import { type LogLine, RecordingLogger } from '../../doubles/recording-logger.ts';

const SERVER = 'coap://tb.example.com';
const IDENTITY = { deviceName: 'gw-1', token: new Secret('QZ7QZ7QZ7') };
const STORED = { server: SERVER, ...IDENTITY, sinceMs: 1 };
const DELIVERING: SessionState = { at: 'deliver', identity: IDENTITY, failureCounts: {} };

const FAILED = (reason: FailureReason): SessionEvent => ({ type: 'failed', failure: failureOf(reason) });
const WAIT_OVER: SessionEvent = { type: 'wait-over' };
const DELIVERED: SessionEvent = { type: 'delivered' };
const PROPOSED: readonly SessionEvent[] = [
  { type: 'loaded', record: undefined },
  { type: 'intent-recorded', identity: IDENTITY },
];
const TOKEN_REJECTED: SessionEvent = { type: 'token-verified', accepted: false };

/** The session from `start` through `events`, ten seconds each, and what was logged. */
function loggedLines(start: SessionState, events: readonly SessionEvent[]): RecordingLogger {
  const log = new RecordingLogger();
  const sessionLog = new SessionLog(log, () => SERVER);
  let state = start;
  for (const [index, event] of events.entries()) {
    const monotonicMs = index * 10_000;
    const after = nextState(state, event, { monotonicMs, random: 0 });
    sessionLog.logStep(state, event, after, monotonicMs);
    state = after;
  }
  return log;
}

const messages = (lines: readonly LogLine[]) => lines.map(({ message }) => message);

describe('a first boot in the session log', () => {
  it('a first boot is logged in three lines', () => {
    const log = loggedLines(INITIAL_STATE, [
      ...PROPOSED,
      { type: 'token-issued', token: IDENTITY.token },
      DELIVERED,
    ]);
    assert.deepEqual(log.logged, [
      { level: 'info', message: 'no credentials found', fields: {} },
      {
        level: 'info',
        message: 'sending the provisioning request',
        fields: { device: 'gw-1', server: SERVER },
      },
      { level: 'info', message: 'provisioned: token stored', fields: { device: 'gw-1' } },
    ]);
  });

  it('loaded credentials are logged in one line with their server', () => {
    const log = loggedLines(INITIAL_STATE, [
      { type: 'loaded', record: { state: 'provisioned', ...STORED } },
      DELIVERED,
    ]);
    assert.deepEqual(log.logged, [
      { level: 'info', message: 'credentials found', fields: { device: 'gw-1', server: SERVER } },
    ]);
  });

  it('an interrupted provisioning with a known token is logged', () => {
    const events: SessionEvent[] = [
      { type: 'loaded', record: { state: 'pending', ...STORED } },
      { type: 'token-verified', accepted: true },
      { type: 'saved' },
    ];
    assert.deepEqual(messages(loggedLines(INITIAL_STATE, events).logged), [
      'resuming an interrupted provisioning',
      'the server already accepts the access token; only an earlier response was lost',
      'provisioned: token stored',
    ]);
  });

  it('an interrupted provisioning with an unknown token is logged', () => {
    const log = loggedLines(INITIAL_STATE, [
      { type: 'loaded', record: { state: 'pending', ...STORED } },
      TOKEN_REJECTED,
    ]);
    assert.equal(log.logged.at(-1)?.message, 'the server does not accept the access token yet');
  });
});

describe('a failure in the session log', () => {
  for (const reason of FAILURE_REASONS) {
    it(`${reason} is logged once with its level, detail and next attempt`, () => {
      const again = [FAILED(reason), WAIT_OVER];
      const log = loggedLines(DELIVERING, [...again, ...again, ...again, ...again]);
      const { level } = FAILURE_POLICIES[reason];
      const fields = { reason, detail: `seen: ${reason}`, state: 'deliver', device: 'gw-1', retryInS: 1 };
      assert.deepEqual(log.logged, [{ level, message: FAILURE_SENTENCES[reason], fields }]);
      assert.equal(log.withMessage('still failing').length, 3);
    });
  }

  it('a failure is logged again when its reason changes', () => {
    const events = ['server-timeout', 'no-route', 'no-route', 'server-timeout'] as const;
    const log = loggedLines(
      DELIVERING,
      events.flatMap((reason) => [FAILED(reason), WAIT_OVER]),
    );
    assert.deepEqual(
      log.logged.map(({ fields }) => fields['reason']),
      ['server-timeout', 'no-route', 'server-timeout'],
    );
  });

  it('a lasting failure is logged again every hour with its duration', () => {
    const day = Array.from({ length: 4320 }, () => [FAILED('server-timeout'), WAIT_OVER]).flat();
    const lines = loggedLines(DELIVERING, day).withMessage(FAILURE_SENTENCES['server-timeout']);
    assert.equal(lines.length, 24);
    assert.deepEqual(
      lines.slice(0, 3).map(({ fields }) => fields['lasting']),
      [undefined, '60 min', '2 h'],
    );
  });

  it('a failure is logged again after a recovery', () => {
    const logOnce = [FAILED('server-timeout'), WAIT_OVER, DELIVERED];
    assert.equal(
      loggedLines(DELIVERING, [...logOnce, ...logOnce]).withMessage(FAILURE_SENTENCES['server-timeout'])
        .length,
      2,
    );
  });
});

describe('a declined name in the session log', () => {
  const declined = [FAILED('provisioning-declined'), TOKEN_REJECTED, WAIT_OVER, TOKEN_REJECTED];

  it('a declined name is logged with its remedy after the token is unknown too', () => {
    const [line, ...others] = loggedLines(INITIAL_STATE, [...PROPOSED, ...declined]).withMessage(
      FAILURE_SENTENCES['provisioning-declined'],
    );
    assert.equal(line?.level, 'error');
    assert.equal(line?.fields['reason'], 'provisioning-declined');
    assert.equal(line?.fields['retryInS'], 1);
    assert.deepEqual(others, []);
  });

  it('a declined name is logged once an hour', () => {
    const weeks = Array.from({ length: 80 }, () => declined).flat();
    assert.deepEqual(messages(loggedLines(INITIAL_STATE, [...PROPOSED, ...weeks]).logged), [
      'no credentials found',
      'sending the provisioning request',
      'the server declined the device name; checking whether it already accepts the access token',
      FAILURE_SENTENCES['provisioning-declined'],
    ]);
  });

  it('a declined name with an accepted token is not logged as a failure', () => {
    const events: SessionEvent[] = [
      ...PROPOSED,
      FAILED('provisioning-declined'),
      { type: 'token-verified', accepted: true },
      { type: 'saved' },
    ];
    assert.ok(loggedLines(INITIAL_STATE, events).logged.every(({ level }) => level === 'info'));
  });
});

describe('a recovery in the session log', () => {
  const recovered = 'the server responds again';

  it('a recovery is logged once with the duration of the whole outage', () => {
    const events = [
      FAILED('server-timeout'),
      WAIT_OVER,
      FAILED('connection-reset'),
      WAIT_OVER,
      DELIVERED,
      DELIVERED,
    ];
    assert.deepEqual(loggedLines(DELIVERING, events).withMessage(recovered), [
      { level: 'info', message: recovered, fields: { after: '40 s', afterS: 40, queuedReadings: undefined } },
    ]);
  });

  it('an issued or verified token is logged as a recovery', () => {
    const issued: SessionEvent[] = [
      ...PROPOSED,
      FAILED('server-timeout'),
      WAIT_OVER,
      TOKEN_REJECTED,
      { type: 'token-issued', token: IDENTITY.token },
    ];
    const saved: SessionEvent[] = [
      ...PROPOSED,
      FAILED('server-timeout'),
      WAIT_OVER,
      { type: 'token-verified', accepted: true },
      { type: 'saved' },
    ];
    for (const events of [issued, saved]) {
      assert.equal(loggedLines(INITIAL_STATE, events).withMessage(recovered).length, 1);
      assert.equal(loggedLines(INITIAL_STATE, [...events, DELIVERED]).withMessage(recovered).length, 1);
    }
  });

  it('no recovery is logged without an outage', () => {
    assert.deepEqual(loggedLines(DELIVERING, [DELIVERED, DELIVERED]).lines, []);
  });
});

it('the session log never contains a token', () => {
  const events: SessionEvent[] = [
    ...PROPOSED,
    FAILED('provisioning-declined'),
    { type: 'token-verified', accepted: true },
    { type: 'saved' },
    DELIVERED,
  ];
  assert.doesNotMatch(JSON.stringify(loggedLines(INITIAL_STATE, events).lines), /QZ7/);
});

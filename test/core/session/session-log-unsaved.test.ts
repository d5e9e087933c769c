/** The log of a token that cannot be stored: the warning about a power cut, once, and the recovery. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { nextState, RETRY_SAVE_MS } from '../../../src/core/session/machine.ts';
import { SessionLog } from '../../../src/core/session/session-log.ts';
import type { SessionEvent, SessionState } from '../../../src/core/session/state.ts';
import { failureOf } from '../../doubles/failures.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const TOKEN = new Secret('QZ7QZ7QZ7');
const IDENTITY = { deviceName: 'gw-1', token: TOKEN };
const PROVISIONING: SessionState = {
  at: 'provision',
  identity: { deviceName: 'gw-1' },
  failureCounts: {},
};
const SAVING: SessionState = { at: 'save', identity: IDENTITY, failureCounts: {} };
const TOKEN_UNSAVED: SessionEvent = {
  type: 'token-unsaved',
  token: TOKEN,
  failure: failureOf('credentials-storage-failed'),
};
const FULL: SessionEvent = { type: 'failed', failure: failureOf('credentials-storage-failed') };
const DELIVERED: SessionEvent = { type: 'delivered' };
const LOST = /^the access token cannot be stored, and a power cut would lose it; telemetry continues: check /;
const STILL_UNSAVED = 'the access token still cannot be stored';
const STORED = 'provisioned: token stored';

/** The session from `start` through `events`, as far apart as two tries of the disk. */
function loggedLines(start: SessionState, events: readonly SessionEvent[]): RecordingLogger {
  const log = new RecordingLogger();
  const sessionLog = new SessionLog(log, () => 'coap://tb');
  let state = start;
  for (const [index, event] of events.entries()) {
    const monotonicMs = index * RETRY_SAVE_MS;
    const after = nextState(state, event, { monotonicMs, random: 0 });
    sessionLog.logStep(state, event, after, monotonicMs);
    state = after;
  }
  return log;
}

describe('an unsaved token in the session log', () => {
  for (const [when, start, first] of [
    ['token-issued', PROVISIONING, TOKEN_UNSAVED],
    ['saved', SAVING, FULL],
  ] as const) {
    it(`an unsaved ${when} token is logged once as an error with detail and device`, () => {
      const { logged } = loggedLines(start, [first]);
      assert.equal(logged.length, 1);
      assert.equal(logged[0]?.level, 'error');
      assert.match(logged[0]?.message ?? '', LOST);
      assert.deepEqual(logged[0]?.fields, { detail: 'seen: credentials-storage-failed', device: 'gw-1' });
    });

    it(`further failures to store an ${when} token are logged at debug level`, () => {
      const log = loggedLines(start, [first, DELIVERED, FULL, DELIVERED, FULL, DELIVERED, FULL]);
      assert.equal(log.logged.length, 1);
      assert.deepEqual(
        log.withMessage(STILL_UNSAVED).map(({ level }) => level),
        ['debug', 'debug', 'debug'],
      );
    });

    it(`storing an ${when} token after a failure is logged`, () => {
      const log = loggedLines(start, [first, DELIVERED, FULL, DELIVERED, { type: 'saved' }]);
      assert.deepEqual(log.logged.at(-1), { level: 'info', message: STORED, fields: { device: 'gw-1' } });
      assert.equal(log.logged.length, 2);
    });
  }

  it('an unsaved token is logged again after one was stored', () => {
    const log = new RecordingLogger();
    const sessionLog = new SessionLog(log, () => 'coap://tb');
    const delivering: SessionState = { at: 'deliver', identity: IDENTITY, failureCounts: {} };
    for (let time = 0; time < 2; time += 1) {
      sessionLog.logStep(SAVING, FULL, delivering, 0);
      sessionLog.logStep(SAVING, { type: 'saved' }, delivering, 0);
    }
    assert.equal(log.withMessage(LOST).length, 2);
  });

  it('the log of an unsaved token does not contain the token', () => {
    assert.doesNotMatch(
      JSON.stringify(loggedLines(PROVISIONING, [TOKEN_UNSAVED, DELIVERED, FULL]).lines),
      /QZ7/,
    );
  });
});

it('a step without an accepted message is not logged as a recovery', () => {
  const silent: SessionEvent = { type: 'failed', failure: failureOf('server-timeout') };
  const log = loggedLines({ at: 'deliver', identity: IDENTITY, failureCounts: {} }, [
    silent,
    { type: 'wait-over' },
    { type: 'progressed' },
  ]);
  assert.deepEqual(log.withMessage('the server responds again'), []);
  assert.equal(log.logged.length, 1);
});

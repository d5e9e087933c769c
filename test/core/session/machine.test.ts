/**
 * The session as a table: each state with each event, each failure in each state, and every impossible event.
 * Invariants of every path are in machine-paths.test.ts.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitBeforeMs } from '../../../src/core/failures/backoff.ts';
import { FAILURE_POLICIES } from '../../../src/core/failures/policies.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { HEALTHY_MS, INITIAL_STATE, nextState } from '../../../src/core/session/machine.ts';
import type {
  ResumableStep,
  SessionEvent,
  SessionState,
  SessionStep,
} from '../../../src/core/session/state.ts';
import { FAILURE_REASONS, failureOf } from '../../doubles/failures.ts';
import { revealSecrets } from '../../doubles/reveal-secrets.ts';

const NOW = { monotonicMs: 1_000_000, random: 0.25 };
const ISSUED = new Secret('issued-by-the-server');
const TOKEN_ACCEPTED = { deviceName: 'gw-1', token: new Secret('proposed-by-us') };
const NAMED = { deviceName: 'gw-1' };
const BEFORE = { ...TOKEN_ACCEPTED, previousToken: new Secret('taken-once') };
const STORED = { server: 'coap://tb', deviceName: 'gw-1', sinceMs: 5 };
const SILENT = failureOf('server-timeout');

const LOAD: SessionStep = { at: 'load' };
const WAIT: SessionStep = {
  at: 'wait',
  forMs: 700,
  failure: SILENT,
  resumeAt: { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: true },
};

const TRANSITIONS: readonly (readonly [
  title: string,
  from: SessionStep,
  event: SessionEvent,
  to: SessionStep,
])[] = [
  ['a first boot records its intent', LOAD, { type: 'loaded', record: undefined }, { at: 'record-intent' }],
  [
    'a provisioned gateway delivers at once with the stored token',
    LOAD,
    { type: 'loaded', record: { state: 'provisioned', ...STORED, token: TOKEN_ACCEPTED.token } },
    { at: 'deliver', identity: TOKEN_ACCEPTED },
  ],
  [
    'an interrupted proposal is verified before it is repeated',
    LOAD,
    { type: 'loaded', record: { state: 'pending', ...STORED, token: TOKEN_ACCEPTED.token } },
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: false },
  ],
  [
    'an interrupted request in server-generated mode is repeated',
    LOAD,
    { type: 'loaded', record: { state: 'pending', ...STORED } },
    { at: 'provision', identity: NAMED },
  ],
  [
    'a recorded intent is followed by its request',
    { at: 'record-intent' },
    { type: 'intent-recorded', identity: TOKEN_ACCEPTED },
    { at: 'provision', identity: TOKEN_ACCEPTED },
  ],
  [
    'an intent without a token is a request without one',
    { at: 'record-intent' },
    { type: 'intent-recorded', identity: NAMED },
    { at: 'provision', identity: NAMED },
  ],
  [
    'an issued token is used even if another one was proposed',
    { at: 'provision', identity: TOKEN_ACCEPTED },
    { type: 'token-issued', token: ISSUED },
    { at: 'deliver', identity: { deviceName: 'gw-1', token: ISSUED } },
  ],
  [
    'a token chosen by the server is used',
    { at: 'provision', identity: NAMED },
    { type: 'token-issued', token: ISSUED },
    { at: 'deliver', identity: { deviceName: 'gw-1', token: ISSUED } },
  ],
  [
    'an accepted token is saved',
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: false },
    { type: 'token-verified', accepted: true },
    { at: 'save', identity: TOKEN_ACCEPTED },
  ],
  [
    'an accepted token is saved after a declined request too',
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: true },
    { type: 'token-verified', accepted: true },
    { at: 'save', identity: TOKEN_ACCEPTED },
  ],
  [
    'a token that the server does not know is proposed',
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: false },
    { type: 'token-verified', accepted: false },
    { at: 'provision', identity: TOKEN_ACCEPTED },
  ],
  [
    'a saved token is used',
    { at: 'save', identity: TOKEN_ACCEPTED },
    { type: 'saved' },
    { at: 'deliver', identity: TOKEN_ACCEPTED },
  ],
  [
    'a delivery is followed by the next one',
    { at: 'deliver', identity: TOKEN_ACCEPTED },
    { type: 'delivered' },
    { at: 'deliver', identity: TOKEN_ACCEPTED },
  ],
  [
    'a step without an accepted message is followed by the next one',
    { at: 'deliver', identity: TOKEN_ACCEPTED },
    { type: 'progressed' },
    { at: 'deliver', identity: TOKEN_ACCEPTED },
  ],
  [
    'a wait is followed by the step to resume',
    WAIT,
    { type: 'wait-over' },
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: true },
  ],
];

describe('session transitions', () => {
  for (const [title, from, event, to] of TRANSITIONS) {
    it(title, () => {
      assert.deepEqual(
        revealSecrets(nextState({ ...from, failureCounts: {} }, event, NOW)),
        revealSecrets({ ...to, failureCounts: {} }),
      );
    });
  }

  it('only a long healthy delivery resets the failure count', () => {
    for (const [title, from, event] of TRANSITIONS) {
      const failureCounts = { 'port-closed': 4 };
      assert.deepEqual(nextState({ ...from, failureCounts }, event, NOW).failureCounts, failureCounts, title);
    }
  });

  it('the session starts with loading and no failures', () => {
    assert.deepEqual(INITIAL_STATE, { at: 'load', failureCounts: {} });
  });
});

/**
 * The step after the wait of a failure; a token that cannot be stored waits for nothing
 * (session-unsaved.test.ts).
 */
const RESUME_STEPS: readonly (readonly [from: SessionStep, to: ResumableStep])[] = [
  [LOAD, { at: 'load' }],
  [{ at: 'record-intent' }, { at: 'record-intent' }],
  [
    { at: 'provision', identity: TOKEN_ACCEPTED },
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: false },
  ],
  [
    { at: 'provision', identity: NAMED },
    { at: 'provision', identity: NAMED },
  ],
  [
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: false },
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: false },
  ],
  [
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: true },
    { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: true },
  ],
  [
    { at: 'verify-previous-token', identity: BEFORE },
    { at: 'verify-previous-token', identity: BEFORE },
  ],
  [
    { at: 'deliver', identity: TOKEN_ACCEPTED },
    { at: 'deliver', identity: TOKEN_ACCEPTED },
  ],
  [WAIT, { at: 'verify-token', identity: TOKEN_ACCEPTED, nameDeclined: true }],
];

describe('a failure waits according to its policy and resumes safely', () => {
  for (const reason of FAILURE_REASONS) {
    for (const [from, resumeAt] of RESUME_STEPS) {
      const whose =
        'identity' in from ? ` (${from.identity.token ? 'our token' : 'token of the server'})` : '';
      const mode = 'nameDeclined' in from && from.nameDeclined ? `${whose}, already declined,` : whose;
      if (from.at === 'provision' && from.identity.token && reason === 'provisioning-declined') continue; // below
      it(`${reason} in ${from.at}${mode} resumes with ${resumeAt.at}`, () => {
        const failure = failureOf(reason);
        const counts = { aborted: 7, [reason]: 2 };
        const after = nextState({ ...from, failureCounts: counts }, { type: 'failed', failure }, NOW);
        const forMs = waitBeforeMs(FAILURE_POLICIES[reason].schedule, 3, NOW.random);
        assert.deepEqual(
          revealSecrets(after),
          revealSecrets({ at: 'wait', forMs, failure, resumeAt, failureCounts: { ...counts, [reason]: 3 } }),
        );
      });
    }
  }
});

describe('a declined request whose first response may be lost', () => {
  const declined: SessionEvent = { type: 'failed', failure: failureOf('provisioning-declined') };

  it('a declined request verifies the token at once and counts no failure', () => {
    const after = nextState(
      { at: 'provision', identity: TOKEN_ACCEPTED, failureCounts: { 'port-closed': 2 } },
      declined,
      NOW,
    );
    const expected: SessionState = {
      at: 'verify-token',
      identity: TOKEN_ACCEPTED,
      nameDeclined: true,
      failureCounts: { 'port-closed': 2 },
    };
    assert.deepEqual(revealSecrets(after), revealSecrets(expected));
  });

  it('a declined name with an unknown token waits as provisioning-declined', () => {
    const verifying: SessionState = {
      at: 'verify-token',
      identity: TOKEN_ACCEPTED,
      nameDeclined: true,
      failureCounts: { 'port-closed': 2 },
    };
    const after = nextState(verifying, { type: 'token-verified', accepted: false }, NOW);
    assert.equal(after.at, 'wait');
    assert.deepEqual(after.failureCounts, { 'port-closed': 2, 'provisioning-declined': 1 });
    assert.equal(after.at === 'wait' && after.failure.reason, 'provisioning-declined');
    assert.equal(
      after.at === 'wait' && after.forMs,
      waitBeforeMs(FAILURE_POLICIES['provisioning-declined'].schedule, 1, NOW.random),
    );
  });

  it('after a declined name the token is verified before the next request', () => {
    const verifying: SessionState = {
      at: 'verify-token',
      identity: TOKEN_ACCEPTED,
      nameDeclined: true,
      failureCounts: {},
    };
    const waiting = nextState(verifying, { type: 'token-verified', accepted: false }, NOW);
    const again = nextState(waiting, { type: 'wait-over' }, NOW);
    assert.deepEqual(
      revealSecrets(again),
      revealSecrets({
        at: 'verify-token',
        identity: TOKEN_ACCEPTED,
        nameDeclined: false,
        failureCounts: { 'provisioning-declined': 1 },
      }),
    );
    assert.equal(nextState(again, { type: 'token-verified', accepted: false }, NOW).at, 'provision');
  });
});

describe('the failure count after a recovery', () => {
  const DELIVERED: SessionEvent = { type: 'delivered' };
  const at = (monotonicMs: number) => ({ monotonicMs, random: 0 });
  const failing: SessionState = {
    at: 'deliver',
    identity: TOKEN_ACCEPTED,
    failureCounts: { 'port-closed': 3 },
  };

  it('the first delivery after a failure starts the healthy period', () => {
    const after = nextState(failing, DELIVERED, at(0));
    assert.deepEqual(revealSecrets(after), revealSecrets({ ...failing, healthySinceMs: 0 }));
  });

  it('the failure count is kept 1 ms before five healthy minutes', () => {
    const since: SessionState = { ...failing, healthySinceMs: 7 };
    assert.deepEqual(revealSecrets(nextState(since, DELIVERED, at(6 + HEALTHY_MS))), revealSecrets(since));
  });

  it('the failure count is reset after five healthy minutes', () => {
    const after = nextState({ ...failing, healthySinceMs: 7 }, DELIVERED, at(7 + HEALTHY_MS));
    assert.deepEqual(
      revealSecrets(after),
      revealSecrets({ at: 'deliver', identity: TOKEN_ACCEPTED, failureCounts: {} }),
    );
  });

  it('a failure restarts the healthy period', () => {
    const failed = nextState({ ...failing, healthySinceMs: 0 }, { type: 'failed', failure: SILENT }, at(1));
    const back = nextState(failed, { type: 'wait-over' }, at(HEALTHY_MS));
    const after = nextState(back, DELIVERED, at(HEALTHY_MS + 5));
    assert.deepEqual(
      revealSecrets(after),
      revealSecrets({
        ...failing,
        failureCounts: { 'port-closed': 3, [SILENT.reason]: 1 },
        healthySinceMs: HEALTHY_MS + 5,
      }),
    );
  });
});

it('a requested wait is kept, plus a random part for each gateway', () => {
  const failure = { ...failureOf('server-overloaded'), retryAfterMs: 120_000 };
  const state: SessionState = { at: 'deliver', identity: TOKEN_ACCEPTED, failureCounts: {} };
  const after = nextState(state, { type: 'failed', failure }, NOW);
  const accepted = waitBeforeMs(FAILURE_POLICIES['server-overloaded'].schedule, 1, NOW.random);
  assert.equal(after.at === 'wait' && after.forMs, 120_000 + accepted);
});

describe('an event that does not belong to the state throws', () => {
  const EVENTS: readonly SessionEvent[] = [
    { type: 'loaded', record: undefined },
    { type: 'intent-recorded', identity: TOKEN_ACCEPTED },
    { type: 'token-issued', token: ISSUED },
    { type: 'token-verified', accepted: true },
    { type: 'saved' },
    { type: 'delivered' },
    { type: 'progressed' },
    { type: 'token-unsaved', token: ISSUED, failure: failureOf('credentials-storage-failed') },
    { type: 'wait-over' },
  ];
  const IDENTITY_WITH_TOKEN: Readonly<Record<SessionStep['at'], readonly SessionEvent['type'][]>> = {
    load: ['loaded'],
    'record-intent': ['intent-recorded'],
    provision: ['token-issued', 'token-unsaved'],
    'verify-token': ['token-verified'],
    'verify-previous-token': ['token-verified'],
    save: ['saved'],
    deliver: ['delivered', 'progressed'],
    wait: ['wait-over'],
  };
  const states: readonly SessionStep[] = [
    ...RESUME_STEPS.map(([from]) => from),
    { at: 'save', identity: TOKEN_ACCEPTED },
  ];
  for (const from of states) {
    it(`${from.at} accepts only ${IDENTITY_WITH_TOKEN[from.at].join(' or ')}`, () => {
      for (const event of EVENTS.filter(({ type }) => !IDENTITY_WITH_TOKEN[from.at].includes(type))) {
        assert.throws(
          () => nextState({ ...from, failureCounts: {} }, event, NOW),
          new RegExp(`the event ${event.type} cannot happen in the state ${from.at}`),
        );
      }
    });
  }
});

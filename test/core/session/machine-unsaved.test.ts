/**
 * A token that cannot be stored is used at once, stored again later between two deliveries, and never
 * requested a second time. A step without an accepted message is no sign of health.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { HEALTHY_MS, nextState, RETRY_SAVE_MS } from '../../../src/core/session/machine.ts';
import type { SessionEvent, SessionState } from '../../../src/core/session/state.ts';
import { FAILURE_REASONS, failureOf } from '../../doubles/failures.ts';
import { revealSecrets } from '../../doubles/reveal-secrets.ts';

const NOW_MS = 1_000_000;
const at = (monotonicMs: number) => ({ monotonicMs, random: 0.25 });
const TOKEN_ACCEPTED = { deviceName: 'gw-1', token: new Secret('proposed-by-us') };
const FULL: SessionEvent = { type: 'failed', failure: failureOf('credentials-storage-failed') };
const DELIVERED: SessionEvent = { type: 'delivered' };
const UNSAVED: SessionState = {
  at: 'deliver',
  identity: TOKEN_ACCEPTED,
  failureCounts: { 'port-closed': 2 },
  retrySaveAtMs: NOW_MS + RETRY_SAVE_MS,
};

function assertState(actual: SessionState, expected: SessionState): void {
  assert.deepEqual(revealSecrets(actual), revealSecrets(expected));
}

describe('a token that cannot be stored', () => {
  it('an unsaved verified token is used at once, and no failure is counted', () => {
    assertState(
      nextState(
        { at: 'save', identity: TOKEN_ACCEPTED, failureCounts: { 'port-closed': 2 } },
        FULL,
        at(NOW_MS),
      ),
      UNSAVED,
    );
  });

  it('an unsaved token is used for any reason of the store', () => {
    for (const reason of FAILURE_REASONS) {
      const failed: SessionEvent = { type: 'failed', failure: failureOf(reason) };
      assertState(
        nextState(
          { at: 'save', identity: TOKEN_ACCEPTED, failureCounts: { 'port-closed': 2 } },
          failed,
          at(NOW_MS),
        ),
        UNSAVED,
      );
    }
  });

  it('an unsaved issued token is used at once under the proposed name', () => {
    const tokenUnsaved: SessionEvent = {
      type: 'token-unsaved',
      token: TOKEN_ACCEPTED.token,
      failure: failureOf('credentials-storage-failed'),
    };
    const proposed = { deviceName: 'gw-1', token: new Secret('another'), previousToken: new Secret('old') };
    for (const identity of [{ deviceName: 'gw-1' }, proposed]) {
      assertState(
        nextState(
          { at: 'provision', identity, failureCounts: { 'port-closed': 2 } },
          tokenUnsaved,
          at(NOW_MS),
        ),
        UNSAVED,
      );
    }
  });

  it('an unsaved token is not stored 1 ms before its retry time', () => {
    assertState(nextState(UNSAVED, DELIVERED, at(NOW_MS + RETRY_SAVE_MS - 1)), UNSAVED);
  });

  it('an unsaved token is stored by the first delivery after its retry time', () => {
    for (const lateMs of [0, 1, 86_400_000]) {
      const after = nextState(UNSAVED, DELIVERED, at(NOW_MS + RETRY_SAVE_MS + lateMs));
      assertState(after, { at: 'save', identity: TOKEN_ACCEPTED, failureCounts: { 'port-closed': 2 } });
    }
  });

  it('another failure to store the token waits again while delivery continues', () => {
    const laterMs = NOW_MS + RETRY_SAVE_MS;
    const again = nextState(nextState(UNSAVED, DELIVERED, at(laterMs)), FULL, at(laterMs));
    assertState(again, { ...UNSAVED, retrySaveAtMs: laterMs + RETRY_SAVE_MS });
  });

  it('a token is no longer unsaved after it was stored', () => {
    const saved = nextState(
      { at: 'save', identity: TOKEN_ACCEPTED, failureCounts: { 'port-closed': 2 } },
      { type: 'saved' },
      at(NOW_MS),
    );
    assertState(saved, { at: 'deliver', identity: TOKEN_ACCEPTED, failureCounts: { 'port-closed': 2 } });
  });

  it('a token stays unsaved during a wait and is stored afterwards', () => {
    const waiting = nextState(
      UNSAVED,
      { type: 'failed', failure: failureOf('server-timeout') },
      at(NOW_MS + 1),
    );
    assert.equal(waiting.at, 'wait');
    const back = nextState(waiting, { type: 'wait-over' }, at(NOW_MS + 2));
    assertState(back, { ...UNSAVED, failureCounts: { 'port-closed': 2, 'server-timeout': 1 } });
    assert.equal(nextState(back, DELIVERED, at(NOW_MS + RETRY_SAVE_MS)).at, 'save');
  });

  it('an unsaved token is not stored while the server accepts nothing', () => {
    assertState(nextState(UNSAVED, { type: 'progressed' }, at(NOW_MS + 10 * RETRY_SAVE_MS)), UNSAVED);
  });

  it('an unsaved token keeps the failure count until it is stored', () => {
    const soonAfterMs: SessionState = { ...UNSAVED, retrySaveAtMs: NOW_MS + 2 * HEALTHY_MS };
    assertState(nextState(soonAfterMs, DELIVERED, at(NOW_MS + HEALTHY_MS + 1)), soonAfterMs);
  });
});

describe('a step without an accepted message', () => {
  const memories: readonly Omit<SessionState & { at: 'deliver' }, 'at' | 'identity'>[] = [
    { failureCounts: {} },
    { failureCounts: { 'port-closed': 3 } },
    { failureCounts: { 'port-closed': 3 }, healthySinceMs: 5 },
    { failureCounts: { 'port-closed': 3 }, authFailures: { count: 4, sinceMs: 5 } },
    { failureCounts: { 'port-closed': 3 }, retrySaveAtMs: 5 },
  ];
  for (const memory of memories) {
    it(`keeps ${Object.keys(memory).join(' and ')} (${JSON.stringify(memory.failureCounts)})`, () => {
      const state: SessionState = { at: 'deliver', identity: TOKEN_ACCEPTED, ...memory };
      for (const mayProvision of [true, false]) {
        const context = { ...at(NOW_MS + 10 * HEALTHY_MS), mayProvision };
        assertState(nextState(state, { type: 'progressed' }, context), state);
      }
    });
  }

  it('a step without an accepted message starts no healthy period', () => {
    const progressed = nextState(
      { at: 'deliver', identity: TOKEN_ACCEPTED, failureCounts: { 'port-closed': 3 } },
      { type: 'progressed' },
      at(0),
    );
    const later = nextState(progressed, DELIVERED, at(HEALTHY_MS));
    assertState(later, {
      at: 'deliver',
      identity: TOKEN_ACCEPTED,
      failureCounts: { 'port-closed': 3 },
      healthySinceMs: HEALTHY_MS,
    });
  });
});

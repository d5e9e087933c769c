/**
 * A rejected token is revoked only after minutes, then the gateway provisions again under the same name while
 * it keeps trying the old token. An outage is never a revocation.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Secret } from '../../../src/core/model/secret.ts';
import { nextState, stateWithToken } from '../../../src/core/session/machine.ts';
import { REVOCATION_SPREAD_MS, REVOCATION_THRESHOLD } from '../../../src/core/session/revocation.ts';
import type { SessionEvent, SessionState } from '../../../src/core/session/state.ts';

const OLD = new Secret('the-old-token');
const NEW = new Secret('the-new-token');
const unauthorized: SessionEvent = { type: 'failed', failure: { reason: 'unauthorized', detail: '' } };
const overloaded: SessionEvent = { type: 'failed', failure: { reason: 'server-overloaded', detail: '' } };
const declined: SessionEvent = { type: 'failed', failure: { reason: 'provisioning-declined', detail: '' } };
const delivering = stateWithToken('gw-1', OLD);

/**
 * Feeds deliveries `everyMs` apart, each wait elapsing in between; returns the states after each delivery.
 */
function deliveries(events: readonly SessionEvent[], everyMs: number, mayProvision = true): SessionState[] {
  const states: SessionState[] = [];
  let state: SessionState = delivering;
  for (const [index, event] of events.entries()) {
    const context = { monotonicMs: index * everyMs, random: 0.5, mayProvision };
    state = nextState(state, event, context);
    states.push(state);
    if (state.at !== 'wait') continue;
    state = nextState(state, { type: 'wait-over' }, context);
  }
  return states;
}

const rejections = (count: number) => Array.from({ length: count }, () => unauthorized);
const lastOf = (states: SessionState[]) => states.at(-1) as SessionState;

test('one rejection, or many within a minute, do not revoke the token', () => {
  assert.equal(lastOf(deliveries([unauthorized], 0)).at, 'wait');
  assert.equal(lastOf(deliveries(rejections(50), 1_000)).at, 'wait');
});

test('two rejections a day apart do not revoke the token', () => {
  assert.equal(lastOf(deliveries(rejections(2), 86_400_000)).at, 'wait');
});

test('rejections over five minutes lead to a new intent with the old token and name', () => {
  const last = lastOf(deliveries(rejections(REVOCATION_THRESHOLD.count + 1), 60_000));
  assert.deepEqual(last.at === 'record-intent' && last.revoked, { deviceName: 'gw-1', token: OLD });
});

test('the verdict on a rejected token comes five to six minutes after the first rejection', () => {
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(draw, { minLength: 30, maxLength: 30 }), (draws) => {
      let state: SessionState = delivering;
      let monotonicMs = 0;
      for (const random of draws) {
        state = nextState(state, unauthorized, { monotonicMs, random, mayProvision: true });
        if (state.at !== 'wait') break;
        monotonicMs += state.forMs;
        state = nextState(state, { type: 'wait-over' }, { monotonicMs, random, mayProvision: true });
      }
      // Fewer than 30 rejections in five minutes, unless nearly all draws are the shortest wait.
      if (state.at !== 'record-intent') return;
      assert.ok(monotonicMs >= REVOCATION_THRESHOLD.forMs, `${monotonicMs}`);
      assert.ok(monotonicMs <= REVOCATION_THRESHOLD.forMs + REVOCATION_SPREAD_MS, `${monotonicMs}`);
    }),
  );
});

test('a token that is rejected with the longest waits is revoked after six minutes at most', () => {
  let state: SessionState = delivering;
  let monotonicMs = 0;
  while (state.at !== 'record-intent' && monotonicMs < 3_600_000) {
    state = nextState(state, unauthorized, { monotonicMs, random: 0.999, mayProvision: true });
    if (state.at !== 'wait') break;
    monotonicMs += state.forMs;
    state = nextState(state, { type: 'wait-over' }, { monotonicMs, random: 0.999, mayProvision: true });
  }
  assert.equal(state.at, 'record-intent');
  assert.ok(monotonicMs <= REVOCATION_THRESHOLD.forMs + REVOCATION_SPREAD_MS, `${monotonicMs}`);
});

test('5.00 for a whole day is no authentication failure', () => {
  const states = deliveries(
    Array.from({ length: 500 }, () => overloaded),
    180_000,
  );
  assert.ok(states.every(({ at }) => at === 'wait'));
});

test('an outage between two rejections does not change the authentication failures', () => {
  const mixed = [...rejections(3), overloaded, overloaded, ...rejections(2)];
  assert.equal(lastOf(deliveries(mixed, 60_000)).at, 'record-intent');
  assert.equal(lastOf(deliveries([...rejections(4), overloaded, overloaded], 60_000)).at, 'wait');
});

test('one accepted delivery resets the authentication failures', () => {
  const states = deliveries([...rejections(4), { type: 'delivered' }, ...rejections(4)], 60_000);
  assert.equal(lastOf(states).at, 'wait');
});

test('without a key, or with a fixed token, a rejected gateway waits and retries', () => {
  const states = deliveries(rejections(200), 60_000, false);
  assert.ok(states.every(({ at, authFailures }) => at === 'wait' && authFailures === undefined));
});

test('a rejection is counted with its time if it may lead to a new token', () => {
  const states = deliveries(rejections(3), 60_000);
  assert.deepEqual(
    states.map(({ authFailures }) => authFailures),
    [1, 2, 3].map((count) => ({ count, sinceMs: 0 })),
  );
});

test('a result without an accepted message keeps the authentication failures', () => {
  const states = deliveries([...rejections(4), { type: 'progressed' }, ...rejections(1)], 60_000);
  assert.equal(lastOf(states).at, 'record-intent');
});

const NOW = { monotonicMs: 0, random: 0.5, mayProvision: true };
const identity = { deviceName: 'gw-1', token: NEW, previousToken: OLD };
const after = (state: SessionState, ...events: SessionEvent[]) =>
  events.reduce((state, event) => nextState(state, event, NOW), state);

test('a declined new token is verified, and after the wait the old one is tried first', () => {
  const waiting = after({ at: 'provision', identity, failureCounts: {} }, declined, {
    type: 'token-verified',
    accepted: false,
  });
  assert.equal(waiting.at, 'wait');
  const retrying = after(waiting, { type: 'wait-over' });
  assert.deepEqual(retrying.at === 'verify-previous-token' && retrying.identity, identity);
});

test('an old token that works again is saved, and the new one is dropped', () => {
  const adopting = after(
    { at: 'verify-previous-token', identity, failureCounts: { 'port-closed': 3 } },
    { type: 'token-verified', accepted: true },
  );
  assert.deepEqual(adopting, {
    at: 'save',
    identity: { deviceName: 'gw-1', token: OLD },
    failureCounts: { 'port-closed': 3 },
  });
});

test('if the old token is rejected, the new one is verified before a new request', () => {
  const asking = after(
    { at: 'verify-previous-token', identity, failureCounts: { 'port-closed': 3 } },
    { type: 'token-verified', accepted: false },
  );
  assert.equal(asking.at, 'verify-token');
  assert.equal(after(asking, { type: 'token-verified', accepted: false }).at, 'provision');
});

test('after a restart the old token is tried first', () => {
  const record = {
    state: 'pending',
    server: 's',
    deviceName: 'gw-1',
    sinceMs: 0,
    token: NEW,
    previousToken: OLD,
  } as const;
  const state = after({ at: 'load', failureCounts: {} }, { type: 'loaded', record });
  assert.deepEqual(state.at === 'verify-previous-token' && state.identity, identity);
});

test('an issued new token is used for delivery, and the old one is dropped', () => {
  const state = after(
    { at: 'provision', identity, failureCounts: { 'port-closed': 2 } },
    { type: 'token-issued', token: NEW },
  );
  assert.deepEqual(state, {
    at: 'deliver',
    identity: { deviceName: 'gw-1', token: NEW },
    failureCounts: { 'port-closed': 2 },
  });
});

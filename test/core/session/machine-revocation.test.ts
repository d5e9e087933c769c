/**
 * A token that worked and is refused: believed only after minutes, then provisioned again under the same name
 * while the old token is still tried; an outage is never taken for a revocation, and nothing flaps.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { DOUBTS, next, startWithToken } from '../../../src/core/session/machine.ts';
import type { Event, State } from '../../../src/core/session/state.ts';

const OLD = new Secret('the-old-token');
const NEW = new Secret('the-new-token');
const unauthorized: Event = { type: 'refused', refusal: { reason: 'unauthorized', detail: '' } };
const overloaded: Event = { type: 'refused', refusal: { reason: 'overloaded', detail: '' } };
const declined: Event = { type: 'refused', refusal: { reason: 'declined', detail: '' } };
const delivering = startWithToken('gw-1', OLD);

/**
 * Feeds deliveries `everyMs` apart, each wait elapsing in between; returns the states after each delivery.
 */
function deliveries(events: readonly Event[], everyMs: number, mayProvision = true): State[] {
  const states: State[] = [];
  let state: State = delivering;
  for (const [index, event] of events.entries()) {
    const context = { monotonicMs: index * everyMs, random: 0.5, mayProvision };
    state = next(state, event, context);
    states.push(state);
    if (state.at !== 'wait') continue;
    state = next(state, { type: 'elapsed' }, context);
  }
  return states;
}

const refusedFor = (count: number) => Array.from({ length: count }, () => unauthorized);
const lastOf = (states: State[]) => states.at(-1) as State;

test('one refusal, or many within a minute, revoke nothing', () => {
  assert.equal(lastOf(deliveries([unauthorized], 0)).at, 'wait');
  assert.equal(lastOf(deliveries(refusedFor(50), 1_000)).at, 'wait');
});

test('two refusals a day apart revoke nothing: the count is a condition too', () => {
  assert.equal(lastOf(deliveries(refusedFor(2), 86_400_000)).at, 'wait');
});

test('refusals over five minutes lead to a new intent that remembers the old token and the name', () => {
  const last = lastOf(deliveries(refusedFor(DOUBTS.count + 1), 60_000));
  assert.deepEqual(last.at === 'intend' && last.revoked, { deviceName: 'gw-1', token: OLD });
});

test('5.00 for a whole day is no doubt about the token', () => {
  const states = deliveries(
    Array.from({ length: 500 }, () => overloaded),
    180_000,
  );
  assert.ok(states.every(({ at }) => at === 'wait'));
});

test('an outage between two refusals neither adds to the doubts nor clears them', () => {
  const mixed = [...refusedFor(3), overloaded, overloaded, ...refusedFor(2)];
  assert.equal(lastOf(deliveries(mixed, 60_000)).at, 'intend');
  assert.equal(lastOf(deliveries([...refusedFor(4), overloaded, overloaded], 60_000)).at, 'wait');
});

test('one accepted delivery clears every doubt', () => {
  const states = deliveries([...refusedFor(4), { type: 'delivered' }, ...refusedFor(4)], 60_000);
  assert.equal(lastOf(states).at, 'wait');
});

test('without a pair, or with a token the operator gave, it never provisions: it waits and tries', () => {
  const states = deliveries(refusedFor(200), 60_000, false);
  assert.ok(states.every(({ at, doubts }) => at === 'wait' && doubts === undefined));
});

test('a refusal is kept as a doubt, with its time, where it may lead to a new token', () => {
  const states = deliveries(refusedFor(3), 60_000);
  assert.deepEqual(
    states.map(({ doubts }) => doubts),
    [1, 2, 3].map((count) => ({ count, sinceMs: 0 })),
  );
});

test('an answer that accepted nothing clears no doubt', () => {
  const states = deliveries([...refusedFor(4), { type: 'stepped' }, ...refusedFor(1)], 60_000);
  assert.equal(lastOf(states).at, 'intend');
});

const NOW = { monotonicMs: 0, random: 0.5, mayProvision: true };
const claim = { deviceName: 'gw-1', token: NEW, previousToken: OLD };
const after = (state: State, ...events: Event[]) =>
  events.reduce((state, event) => next(state, event, NOW), state);

test('a declined new token is asked about, then waited for, and the old one is tried first thereafter', () => {
  const waiting = after({ at: 'provision', claim, troubles: 0 }, declined, { type: 'probed', ours: false });
  assert.equal(waiting.at, 'wait');
  const retrying = after(waiting, { type: 'elapsed' });
  assert.deepEqual(retrying.at === 'retry' && retrying.claim, claim);
});

test('the old token works again: it is adopted, and the new one forgotten', () => {
  const adopting = after({ at: 'retry', claim, troubles: 3 }, { type: 'probed', ours: true });
  assert.deepEqual(adopting, { at: 'adopt', claim: { deviceName: 'gw-1', token: OLD }, troubles: 3 });
});

test('the old token is still refused: the new one is asked about, and only then requested again', () => {
  const asking = after({ at: 'retry', claim, troubles: 3 }, { type: 'probed', ours: false });
  assert.equal(asking.at, 'probe');
  assert.equal(after(asking, { type: 'probed', ours: false }).at, 'provision');
});

test('a restart in the middle goes on with the old token first', () => {
  const record = {
    state: 'pending',
    server: 's',
    deviceName: 'gw-1',
    sinceMs: 0,
    token: NEW,
    previousToken: OLD,
  } as const;
  const state = after({ at: 'remember', troubles: 0 }, { type: 'remembered', record });
  assert.deepEqual(state.at === 'retry' && state.claim, claim);
});

test('success ends it: the new token delivers and the old one is forgotten', () => {
  const state = after({ at: 'provision', claim, troubles: 2 }, { type: 'issued', token: NEW });
  assert.deepEqual(state, { at: 'deliver', claim: { deviceName: 'gw-1', token: NEW }, troubles: 2 });
});

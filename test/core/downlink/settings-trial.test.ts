/** The trial of settings of the server, as tables of events and their outcome. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ATTEMPT_SPACING_MS,
  ATTEMPTS_PER_HOUR,
  acceptTelemetry,
  applyWithoutTrial,
  type Changes,
  forget,
  initialState,
  nextChanges,
  nextStartMs,
  pendingChanges,
  receive,
  reconsider,
  recordAttempt,
  type SettingsState,
  type StoredSettings,
  settingsToStore,
  startTrial,
  TRIAL_MS,
  takeBack,
  trialEndMs,
  valuesWith,
} from '../../../src/core/downlink/settings-trial.ts';

const NOTHING: StoredSettings = { confirmed: new Map(), rejected: new Map() };
const HOUR_MS = 3_600_000;
const ALONE = new Set(['url']);

/** Confirmed values, and values that were taken back. */
function stored(confirmed: Record<string, string>, rejected: Record<string, string | null> = {}) {
  const entries = Object.entries(confirmed).map(([key, text]) => [key, { text, sinceMs: 1 }] as const);
  return initialState({ confirmed: new Map(entries), rejected: new Map(Object.entries(rejected)) });
}

const all = (state: SettingsState, values: Record<string, string | undefined>) =>
  receive(state, { is: 'all', values: new Map(Object.entries(values)) });
const changed = (state: SettingsState, values: Record<string, string | undefined>) =>
  receive(state, { is: 'changed', values: new Map(Object.entries(values)) });
const deleted = (state: SettingsState, ...keys: string[]) => receive(state, { is: 'deleted', keys });

const at = (monotonicMs: number, intervalMs = 10_000) => ({
  monotonicMs,
  bootMs: monotonicMs,
  wallMs: 1_000_000 + monotonicMs,
  intervalMs,
});

/** Tries what is pending at this time, without a reason to refuse any. */
function tryPending(state: SettingsState, monotonicMs: number): SettingsState {
  assert.ok(nextStartMs(state) <= monotonicMs, `not before ${nextStartMs(state)}`);
  const changes = nextChanges(state, ALONE);
  return startTrial(recordAttempt(state, new Map(), monotonicMs), changes, at(monotonicMs));
}

const confirmedOf = ({ confirmed }: StoredSettings) =>
  Object.fromEntries([...confirmed].map(([key, { text }]) => [key, text]));
const plain = (changes: Changes) => Object.fromEntries(changes);

describe('what the server wants', () => {
  const cases: readonly [string, SettingsState, Record<string, string | null>][] = [
    ['nothing is pending before the server has spoken', stored({ a: '1' }), {}],
    ['an equal value is not pending', all(stored({ a: '1' }), { a: '1' }), {}],
    ['a new value is', all(stored({ a: '1' }), { a: '2', b: '3' }), { a: '2', b: '3' }],
    ['what all attributes lack was deleted', all(stored({ a: '1' }), {}), { a: null }],
    ['a notification changes only what it names', changed(stored({ a: '1' }), { b: '2' }), { b: '2' }],
    ['a deletion returns to the local value', deleted(stored({ a: '1', b: '2' }), 'a', 'c'), { a: null }],
    ['a refused value changes nothing', all(stored({ a: '1' }), { a: undefined }), {}],
    [
      'a refused value replaces an earlier wish',
      changed(all(stored({ a: '1' }), { a: '2' }), { a: undefined }),
      {},
    ],
    ['what was taken back is not tried again', all(stored({}, { a: '2' }), { a: '2' }), {}],
    ['another value is', all(stored({}, { a: '2' }), { a: '3' }), { a: '3' }],
    ['a notification tries it again', changed(stored({}, { a: '2' }), { a: '2' }), { a: '2' }],
    ['a deletion that was taken back is not tried again', all(stored({ a: '1' }, { a: null }), {}), {}],
    ['a notified deletion is', deleted(stored({ a: '1' }, { a: null }), 'a'), { a: null }],
  ];
  for (const [title, state, pending] of cases) {
    it(title, () => assert.deepEqual(plain(pendingChanges(state)), pending));
  }

  it('a value is forgotten as taken back when the server had another one in between', () => {
    const other = all(stored({}, { a: '2' }), {});
    assert.equal(other.rejected.size, 0);
    assert.deepEqual(plain(pendingChanges(all(other, { a: '2' }))), { a: '2' });
  });

  it('a change of the server URL is tried alone, after all others', () => {
    const state = all(initialState(NOTHING), { url: 'u', a: '1', b: '2' });
    assert.deepEqual(plain(nextChanges(state, ALONE)), { a: '1', b: '2' });
    const next = acceptTelemetry(tryPending(state, 0), 0, 1);
    assert.deepEqual(plain(nextChanges(next, ALONE)), { url: 'u' });
  });

  it('a value that does not fit waits for news or another configuration', () => {
    const pending = all(initialState(NOTHING), { a: '1' });
    const unfit = recordAttempt(pending, new Map([['a', '1']]), 0);
    assert.equal(pendingChanges(unfit).size, 0);
    assert.equal(pendingChanges(all(unfit, { a: '1' })).size, 0);
    for (const again of [all(unfit, { a: '2' }), changed(unfit, { a: '1' }), reconsider(unfit)])
      assert.equal(pendingChanges(again).size, 1);
  });

  it('a forgotten key is neither stored nor wanted until the server sends it again', () => {
    const state = forget(all(stored({ url: 'u' }, { a: '1' }), { url: 'v' }), 'url');
    assert.deepEqual([confirmedOf(state), plain(pendingChanges(state))], [{}, {}]);
    assert.deepEqual(plain(pendingChanges(all(state, { url: 'v' }))), { url: 'v' });
  });
});

describe('a trial', () => {
  const healthy = acceptTelemetry(all(stored({ a: '1' }), { a: '2' }), 0, 0);

  it('ends well when telemetry is accepted that was read with the new values', () => {
    const trial = tryPending(healthy, 1000);
    assert.deepEqual(confirmedOf(trial), { a: '1' });
    assert.deepEqual(valuesWith(trial, trial.trial?.changes), [
      { key: 'a', text: '1' },
      { key: 'a', text: '2' },
    ]);
    const old = acceptTelemetry(trial, 999, 1500);
    assert.ok(old.trial, 'a reading from before proves nothing');
    const confirmed = acceptTelemetry(old, 1000, 2000);
    assert.equal(confirmed.trial, undefined);
    assert.deepEqual([...confirmed.confirmed], [['a', { text: '2', sinceMs: 1_001_000 }]]);
  });

  it('confirms a deletion like a value', () => {
    const trial = tryPending(acceptTelemetry(deleted(stored({ a: '1' }), 'a'), 0, 0), 1000);
    assert.deepEqual(valuesWith(trial, trial.trial?.changes), []);
    assert.deepEqual(confirmedOf(acceptTelemetry(trial, 1000, 2000)), {});
  });

  it('fails five minutes after its start and is remembered', () => {
    const trial = tryPending(healthy, 1000);
    assert.equal(trialEndMs(trial), 1000 + TRIAL_MS);
    const back = takeBack(trial, trialEndMs(trial));
    assert.deepEqual([confirmedOf(back), plain(back.rejected)], [{ a: '1' }, { a: '2' }]);
    assert.equal(pendingChanges(all(back, { a: '2' })).size, 0);
  });

  it('that ends well forgets what was taken back of the same setting', () => {
    const trial = tryPending(
      acceptTelemetry(changed(stored({}, { a: '2', b: '9' }), { a: '2' }), 0, 0),
      1000,
    );
    const done = acceptTelemetry(trial, 1000, 2000);
    assert.deepEqual([confirmedOf(done), plain(done.rejected)], [{ a: '2' }, { b: '9' }]);
  });

  it('fails without blame if no telemetry was accepted before it', () => {
    const trial = tryPending(all(stored({ a: '1' }), { a: '2' }), 1000);
    const back = takeBack(trial, 1000 + TRIAL_MS);
    assert.equal(back.rejected.size, 0);
    assert.equal(nextStartMs(all(back, { a: '2' })), Number.POSITIVE_INFINITY);
    const again = acceptTelemetry(back, 0, 2_000_000);
    assert.ok(nextStartMs(again) <= 2_000_000);
    const blamed = takeBack(tryPending(again, 2_000_000), 2_000_000 + TRIAL_MS);
    assert.deepEqual(plain(blamed.rejected), { a: '2' });
  });

  it('expects telemetry five minutes and one interval after the last', () => {
    for (const [intervalMs, sinceMs, isExpected] of [
      [10_000, TRIAL_MS, true],
      [10_000, TRIAL_MS + 10_001, false],
      [HOUR_MS, HOUR_MS, true],
    ] as const) {
      const { trial } = startTrial(healthy, new Map([['a', '2']]), at(sinceMs, intervalMs));
      assert.equal(trial?.isTelemetryExpected, isExpected, `${intervalMs} ${sinceMs}`);
    }
  });

  it('delays later changes, of which the last one counts', () => {
    const trial = tryPending(healthy, 1000);
    const later = changed(changed(trial, { b: '5' }), { b: '6', a: '3' });
    assert.equal(nextStartMs(later), Number.POSITIVE_INFINITY);
    const done = acceptTelemetry(later, 1000, 2000);
    assert.deepEqual(confirmedOf(done), { a: '2' });
    assert.deepEqual(plain(pendingChanges(done)), { a: '3', b: '6' });
  });

  it('that fails does not remember a value that the server has replaced meanwhile', () => {
    const later = changed(tryPending(healthy, 1000), { a: '3' });
    const back = takeBack(later, 1000 + TRIAL_MS);
    assert.equal(back.rejected.size, 0);
    assert.deepEqual(plain(pendingChanges(back)), { a: '3' });
  });

  it('of a deleted key fails like any other, and the earlier value stays', () => {
    const back = takeBack(tryPending(acceptTelemetry(deleted(stored({ a: '1' }), 'a'), 0, 0), 0), TRIAL_MS);
    assert.deepEqual([confirmedOf(back), plain(back.rejected)], [{ a: '1' }, { a: null }]);
    assert.equal(pendingChanges(all(back, {})).size, 0);
  });

  it('is left out for changes that cannot stop telemetry', () => {
    const state = applyWithoutTrial(healthy, new Map([['a', '2']]), at(7));
    assert.deepEqual([state.trial, confirmedOf(state)], [undefined, { a: '2' }]);
  });
});

describe('settingsToStore', () => {
  it('keeps what was taken back while it is tried again', () => {
    const before = stored({ b: '1' }, { a: '2' });
    const pending = changed(before, { a: '2' });
    const trial = tryPending(pending, 0);
    for (const state of [pending, trial]) {
      const { confirmed, rejected } = settingsToStore(state, before);
      assert.deepEqual([confirmed, rejected], [before.confirmed, before.rejected]);
    }
    assert.equal(settingsToStore(acceptTelemetry(trial, 0, 1), before).rejected.size, 0);
  });

  it('drops what was taken back when the server no longer wants it', () => {
    const before = stored({}, { a: '2' });
    assert.equal(settingsToStore(all(before, {}), before).rejected.size, 0);
  });
});

describe('the next trial', () => {
  it('begins at the earliest ten seconds after the last attempt', () => {
    const first = acceptTelemetry(tryPending(all(initialState(NOTHING), { a: '1' }), 0), 0, 100);
    assert.equal(nextStartMs(changed(first, { a: '2' })), ATTEMPT_SPACING_MS);
  });

  it('is the eleventh of an hour at the earliest an hour after the first', () => {
    let state = initialState(NOTHING);
    for (let number = 0; number < ATTEMPTS_PER_HOUR; number += 1) {
      state = changed(state, { a: String(number) });
      const startMs = 1000 + number * 60_000;
      state = acceptTelemetry(tryPending(state, startMs), startMs, startMs + 1);
    }
    assert.equal(nextStartMs(changed(state, { a: 'x' })), 1000 + HOUR_MS);
  });

  it('waits after the third failure in a row, ever longer, up to an hour', () => {
    let state = acceptTelemetry(initialState(NOTHING), 0, 0);
    let nowMs = 0;
    const waits: number[] = [];
    for (let failure = 1; failure <= 6; failure += 1) {
      state = changed(state, { url: 'bad' });
      nowMs = Math.max(nowMs, nextStartMs(state));
      state = tryPending(acceptTelemetry(state, 0, nowMs), nowMs);
      nowMs += TRIAL_MS;
      state = acceptTelemetry(takeBack(state, nowMs), 0, nowMs);
      waits.push(Math.max(0, nextStartMs(changed(state, { url: 'bad' })) - nowMs) / 60_000);
    }
    assert.deepEqual(waits, [0, 0, 10, 20, 40, 60]);
  });

  it('waits after a failure for telemetry or for another wish of the server', () => {
    const healthy = acceptTelemetry(all(stored({ a: '1' }), { a: '2', url: 'u' }), 0, 0);
    const back = takeBack(tryPending(healthy, 0), TRIAL_MS);
    assert.equal(nextStartMs(back), Number.POSITIVE_INFINITY);
    assert.ok(nextStartMs(acceptTelemetry(back, 0, TRIAL_MS + 1)) < Number.POSITIVE_INFINITY);
    assert.ok(nextStartMs(changed(back, { a: '7' })) < Number.POSITIVE_INFINITY);
  });
});

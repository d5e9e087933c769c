/** Which road is taken and when another is tried, as tables: no network, no clock. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  betterRoad,
  RETRY,
  type RoadsState,
  refusalOfRoads,
  roadFailed,
  roadInUse,
  roadWorked,
  speaksOfTheRoad,
  startOfRoads,
} from '../../../src/core/failover/selector.ts';
import type { RefusalReason } from '../../../src/core/failures/failure.ts';
import { refusalOf } from '../../doubles/failures.ts';

const context = (isEncrypted: readonly boolean[], nowMs = 0) => ({
  isEncrypted,
  nowMs,
  random: 0,
  retry: RETRY,
});
const CLEAR_THEN_TLS = [false, true];
const TLS_THEN_CLEAR = [true, false];

function after(
  isEncrypted: readonly boolean[],
  ...failures: readonly [road: number, reason: RefusalReason][]
): RoadsState {
  let state = startOfRoads(isEncrypted.length);
  for (const [road, reason] of failures)
    state = roadFailed(state, road, refusalOf(reason), context(isEncrypted));
  return state;
}

describe('a road that fails', () => {
  it('and says when it may be asked again is left alone for so long, and keeps nobody from another one', () => {
    const refusal = { ...refusalOf('upstream-away'), retryAfterMs: 1_800_000 };
    const left = roadFailed(startOfRoads(2), 0, refusal, context(CLEAR_THEN_TLS));
    assert.equal(left.health[0]?.retryAtMs, 1_800_000);
    assert.deepEqual(refusalOfRoads(left, ['coap://a', 'https://a'], 0), refusalOf('upstream-away'));
  });

  it('is left for the next one, which is in use only when it has worked', () => {
    const left = after(CLEAR_THEN_TLS, [0, 'silent']);
    assert.deepEqual([left.current, left.candidate, roadInUse(left)], [0, 1, 1]);
    const taken = roadWorked(left, 1, 5);
    assert.deepEqual([taken.current, taken.candidate], [1, undefined]);
  });

  it('has its turn again when the others fail, too', () => {
    assert.equal(roadInUse(after(CLEAR_THEN_TLS, [0, 'silent'], [1, 'port-closed'])), 0);
  });

  it('is kept when an answer comes late over it', () => {
    const state = roadWorked(after(CLEAR_THEN_TLS, [0, 'silent']), 0, 5);
    assert.deepEqual([state.current, state.candidate], [0, undefined]);
  });

  it('fails once, however many requests were under way', () => {
    const state = after(CLEAR_THEN_TLS, [0, 'silent'], [0, 'silent'], [0, 'silent']);
    assert.equal(state.health[0]?.failures, 1);
    assert.equal(roadInUse(state), 1);
  });
});

describe('a better road', () => {
  it('is tried again after a minute, two, four, at most an hour', () => {
    let state = roadWorked(after(CLEAR_THEN_TLS, [0, 'silent']), 1, 0);
    let nowMs = 0;
    const pausesMin: number[] = [];
    for (let tries = 0; tries < 8; tries += 1) {
      const retryAtMs = state.health[0]?.retryAtMs ?? 0;
      pausesMin.push((retryAtMs - nowMs) / 60_000);
      assert.equal(betterRoad(state, retryAtMs - 1), undefined);
      assert.equal(betterRoad(state, retryAtMs), 0);
      nowMs = retryAtMs;
      state = roadFailed(state, 0, refusalOf('silent'), context(CLEAR_THEN_TLS, nowMs));
      assert.equal(state.current, 1);
    }
    assert.deepEqual(pausesMin, [1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('is used when it works, and forgets its failures only after five good minutes', () => {
    const away = roadWorked(after(CLEAR_THEN_TLS, [0, 'silent']), 1, 0);
    const back = roadWorked(away, 0, 60_000);
    assert.deepEqual([back.current, back.health[0]?.failures], [0, 1]);
    assert.equal(roadWorked(back, 0, 60_000 + 299_999).health[0]?.failures, 1);
    assert.equal(roadWorked(back, 0, 60_000 + 300_000).health[0]?.failures, 0);
  });

  it('is not left again for an answer that comes late over the one behind it', () => {
    const back = roadWorked(roadWorked(after(CLEAR_THEN_TLS, [0, 'silent']), 1, 0), 0, 1);
    assert.equal(roadWorked(back, 1, 2).current, 0);
  });
});

describe('a clear road', () => {
  for (const reason of [
    'certificate-dates',
    'clock-wrong',
    'certificate-name',
    'certificate-untrusted',
    'certificate-pin',
  ] as const) {
    it(`is never the answer to ${reason}`, () => {
      assert.equal(roadInUse(after(TLS_THEN_CLEAR, [0, reason])), 0);
      assert.equal(roadInUse(after([true, true, false], [0, reason], [1, 'port-closed'])), 0);
    });
  }

  it('is the answer to what is no matter of trust, as the list says', () => {
    assert.equal(roadInUse(after(TLS_THEN_CLEAR, [0, 'port-closed'])), 1);
  });

  it('that is preferred is gone back to, whatever the certificate of the one behind it', () => {
    assert.equal(roadInUse(after(CLEAR_THEN_TLS, [0, 'silent'], [1, 'certificate-name'])), 0);
  });
});

describe('what is told', () => {
  const urls = ['coap://tb', 'https://tb'];

  it('keeps to one reason while several fail in turn, and says all that was seen', () => {
    const first = refusalOfRoads(after(CLEAR_THEN_TLS, [0, 'silent']), urls, 0);
    const both = refusalOfRoads(after(CLEAR_THEN_TLS, [0, 'silent'], [1, 'port-closed']), urls, 0);
    assert.equal(first?.reason, 'silent');
    assert.equal(both?.reason, 'silent');
    assert.match(both?.detail ?? '', /^coap:\/\/tb: .+; https:\/\/tb: .+$/);
  });

  it('is waited out as long as all of them have asked for that, and no longer', () => {
    const asked = (road: number, state: RoadsState, retryAfterMs: number, nowMs: number) =>
      roadFailed(
        state,
        road,
        { ...refusalOf('upstream-away'), retryAfterMs },
        context(CLEAR_THEN_TLS, nowMs),
      );
    const both = asked(1, asked(0, startOfRoads(2), 1_800_000, 0), 600_000, 100_000);
    assert.equal(refusalOfRoads(both, urls, 100_000)?.retryAfterMs, 600_000);
    // One of them has not said so, or its time has come.
    assert.equal(
      refusalOfRoads(
        roadFailed(both, 0, refusalOf('silent'), context(CLEAR_THEN_TLS, 100_000)),
        urls,
        100_000,
      )?.retryAfterMs,
      undefined,
    );
    const again = asked(1, both, 600_000, 2_000_000);
    assert.equal(refusalOfRoads(again, urls, 2_000_000)?.retryAfterMs, undefined);
  });

  it('of the server itself moves no road', () => {
    for (const reason of [
      'unauthorized',
      'not-found',
      'declined',
      'malformed',
      'overloaded',
      'store-failed',
    ] as const) {
      assert.equal(speaksOfTheRoad(refusalOf(reason)), false, reason);
    }
  });
});

it('a clear road that is in use is left when the encrypted one before it shows a certificate that is not accepted', () => {
  const silent = roadWorked(after(TLS_THEN_CLEAR, [0, 'silent']), 1, 5);
  assert.equal(roadInUse(silent), 1);
  const barred = roadFailed(silent, 0, refusalOf('certificate-untrusted'), context(TLS_THEN_CLEAR, 999_999));
  assert.equal(roadInUse(barred), 0);
  const again = roadFailed(barred, 0, refusalOf('certificate-untrusted'), context(TLS_THEN_CLEAR, 9_999_999));
  assert.equal(roadInUse(again), 0, 'and stays left');
});

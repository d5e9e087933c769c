/** Which endpoint is used and when another one is tried, as tables, without network and clock. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  combinedFailure,
  type EndpointSelection,
  endpointInUse,
  findBetterEndpoint,
  initialSelection,
  isEndpointFailure,
  RETRY_SCHEDULE,
  recordFailure,
  recordSuccess,
} from '../../../src/core/failover/endpoint-selection.ts';
import type { FailureReason } from '../../../src/core/failures/failure.ts';
import { failureOf } from '../../doubles/failures.ts';

const context = (isEncrypted: readonly boolean[], nowMs = 0) => ({
  isEncrypted,
  nowMs,
  random: 0,
  retry: RETRY_SCHEDULE,
});
const CLEAR_THEN_TLS = [false, true];
const TLS_THEN_CLEAR = [true, false];

function after(
  isEncrypted: readonly boolean[],
  ...failures: readonly [endpoint: number, reason: FailureReason][]
): EndpointSelection {
  let state = initialSelection(isEncrypted.length);
  for (const [endpoint, reason] of failures)
    state = recordFailure(state, endpoint, failureOf(reason), context(isEncrypted));
  return state;
}

describe('an endpoint that fails', () => {
  it('an endpoint with a retry time is avoided until then, without delaying others', () => {
    const failure = { ...failureOf('upstream-unavailable'), retryAfterMs: 1_800_000 };
    const failedOver = recordFailure(initialSelection(2), 0, failure, context(CLEAR_THEN_TLS));
    assert.equal(failedOver.health[0]?.retryAtMs, 1_800_000);
    assert.deepEqual(
      combinedFailure(failedOver, ['coap://a', 'https://a'], 0),
      failureOf('upstream-unavailable'),
    );
  });

  it('a failed endpoint is replaced by the next one after that has worked', () => {
    const failedOver = after(CLEAR_THEN_TLS, [0, 'server-timeout']);
    assert.deepEqual([failedOver.current, failedOver.candidate, endpointInUse(failedOver)], [0, 1, 1]);
    const taken = recordSuccess(failedOver, 1, 5);
    assert.deepEqual([taken.current, taken.candidate], [1, undefined]);
  });

  it('a failed endpoint is tried again if the others fail too', () => {
    assert.equal(endpointInUse(after(CLEAR_THEN_TLS, [0, 'server-timeout'], [1, 'port-closed'])), 0);
  });

  it('a failed endpoint stays in use after a late response', () => {
    const state = recordSuccess(after(CLEAR_THEN_TLS, [0, 'server-timeout']), 0, 5);
    assert.deepEqual([state.current, state.candidate], [0, undefined]);
  });

  it('several requests in flight count as one failure of the endpoint', () => {
    const state = after(CLEAR_THEN_TLS, [0, 'server-timeout'], [0, 'server-timeout'], [0, 'server-timeout']);
    assert.equal(state.health[0]?.failures, 1);
    assert.equal(endpointInUse(state), 1);
  });
});

describe('a better endpoint', () => {
  it('a better endpoint is retried after 1, 2, 4 min, up to 1 h', () => {
    let state = recordSuccess(after(CLEAR_THEN_TLS, [0, 'server-timeout']), 1, 0);
    let nowMs = 0;
    const pausesMin: number[] = [];
    for (let tries = 0; tries < 8; tries += 1) {
      const retryAtMs = state.health[0]?.retryAtMs ?? 0;
      pausesMin.push((retryAtMs - nowMs) / 60_000);
      assert.equal(findBetterEndpoint(state, retryAtMs - 1), undefined);
      assert.equal(findBetterEndpoint(state, retryAtMs), 0);
      nowMs = retryAtMs;
      state = recordFailure(state, 0, failureOf('server-timeout'), context(CLEAR_THEN_TLS, nowMs));
      assert.equal(state.current, 1);
    }
    assert.deepEqual(pausesMin, [1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('a working better endpoint is used, and its failures are reset after 5 min', () => {
    const unreachable = recordSuccess(after(CLEAR_THEN_TLS, [0, 'server-timeout']), 1, 0);
    const back = recordSuccess(unreachable, 0, 60_000);
    assert.deepEqual([back.current, back.health[0]?.failures], [0, 1]);
    assert.equal(recordSuccess(back, 0, 60_000 + 299_999).health[0]?.failures, 1);
    assert.equal(recordSuccess(back, 0, 60_000 + 300_000).health[0]?.failures, 0);
  });

  it('a better endpoint stays in use after a late response of the other one', () => {
    const back = recordSuccess(recordSuccess(after(CLEAR_THEN_TLS, [0, 'server-timeout']), 1, 0), 0, 1);
    assert.equal(recordSuccess(back, 1, 2).current, 0);
  });
});

describe('a plaintext endpoint', () => {
  for (const reason of [
    'certificate-date-invalid',
    'clock-wrong',
    'certificate-name-mismatch',
    'certificate-untrusted',
    'certificate-pin-mismatch',
    'dtls-unavailable',
    'dtls-version-mismatch',
  ] as const) {
    it(`no plaintext endpoint is used after ${reason}`, () => {
      assert.equal(endpointInUse(after(TLS_THEN_CLEAR, [0, reason])), 0);
      assert.equal(endpointInUse(after([true, true, false], [0, reason], [1, 'port-closed'])), 0);
    });
  }

  it('a plaintext endpoint is used after a failure that is not about trust', () => {
    assert.equal(endpointInUse(after(TLS_THEN_CLEAR, [0, 'port-closed'])), 1);
  });

  it('a preferred plaintext endpoint is used again despite a certificate failure', () => {
    assert.equal(
      endpointInUse(after(CLEAR_THEN_TLS, [0, 'server-timeout'], [1, 'certificate-name-mismatch'])),
      0,
    );
  });
});

describe('the combined failure', () => {
  const urls = ['coap://tb', 'https://tb'];

  it('the combined failure has one stable reason and all details', () => {
    const first = combinedFailure(after(CLEAR_THEN_TLS, [0, 'server-timeout']), urls, 0);
    const both = combinedFailure(after(CLEAR_THEN_TLS, [0, 'server-timeout'], [1, 'port-closed']), urls, 0);
    assert.equal(first?.reason, 'server-timeout');
    assert.equal(both?.reason, 'server-timeout');
    assert.match(both?.detail ?? '', /^coap:\/\/tb: .+; https:\/\/tb: .+$/);
  });

  it('the combined retry time is the one that all endpoints have requested', () => {
    const requestWait = (endpoint: number, state: EndpointSelection, retryAfterMs: number, nowMs: number) =>
      recordFailure(
        state,
        endpoint,
        { ...failureOf('upstream-unavailable'), retryAfterMs },
        context(CLEAR_THEN_TLS, nowMs),
      );
    const both = requestWait(1, requestWait(0, initialSelection(2), 1_800_000, 0), 600_000, 100_000);
    assert.equal(combinedFailure(both, urls, 100_000)?.retryAfterMs, 600_000);
    // One endpoint has requested no wait, or its wait is over.
    assert.equal(
      combinedFailure(
        recordFailure(both, 0, failureOf('server-timeout'), context(CLEAR_THEN_TLS, 100_000)),
        urls,
        100_000,
      )?.retryAfterMs,
      undefined,
    );
    const again = requestWait(1, both, 600_000, 2_000_000);
    assert.equal(combinedFailure(again, urls, 2_000_000)?.retryAfterMs, undefined);
  });

  it('a failure of the server itself changes no endpoint', () => {
    for (const reason of [
      'unauthorized',
      'provisioning-key-unknown',
      'provisioning-declined',
      'request-malformed',
      'server-overloaded',
      'credentials-storage-failed',
    ] as const) {
      assert.equal(isEndpointFailure(failureOf(reason)), false, reason);
    }
  });
});

it('a plaintext endpoint is left if the encrypted one has a certificate failure', () => {
  const silent = recordSuccess(after(TLS_THEN_CLEAR, [0, 'server-timeout']), 1, 5);
  assert.equal(endpointInUse(silent), 1);
  const blocked = recordFailure(
    silent,
    0,
    failureOf('certificate-untrusted'),
    context(TLS_THEN_CLEAR, 999_999),
  );
  assert.equal(endpointInUse(blocked), 0);
  const again = recordFailure(
    blocked,
    0,
    failureOf('certificate-untrusted'),
    context(TLS_THEN_CLEAR, 9_999_999),
  );
  assert.equal(endpointInUse(again), 0, 'and stays left');
});

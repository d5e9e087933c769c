/** The RTO estimator: measurements, ambiguous measurements, ageing and bounds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { retransmissionTiming } from '../../../src/transport/coap/retransmission-timing.ts';
import {
  RTO_INITIAL_MS,
  RTO_MS_MAX,
  RTO_MS_MIN,
  RtoEstimator,
} from '../../../src/transport/coap/rto-estimator.ts';

/**
 * Measures `count` sequential exchanges of `roundTripMs` without retransmission; returns the time at the end.
 */
function measureSteadily(estimator: RtoEstimator, roundTripMs: number, count: number, fromMs = 0): number {
  let nowMs = fromMs;
  for (let exchange = 0; exchange < count; exchange += 1) {
    nowMs += roundTripMs;
    estimator.addMeasurement(
      { sinceFirstMs: roundTripMs, sinceLastMs: roundTripMs, retransmissions: 0 },
      nowMs,
    );
  }
  return nowMs;
}

const firstResponseOf = (sinceFirstMs: number, sinceLastMs: number, retransmissions: number) => ({
  sinceFirstMs,
  sinceLastMs,
  retransmissions,
});

test('the RTO is 2 s before the first measurement', () => {
  const estimator = new RtoEstimator();
  assert.equal(estimator.rtoMs(0), RTO_INITIAL_MS);
  assert.equal(estimator.rtoMs(1e9), RTO_INITIAL_MS);
});

test('the first strong measurement moves the RTO half the way to R + 4 R/2', () => {
  const estimator = new RtoEstimator();
  estimator.addMeasurement(firstResponseOf(100, 100, 0), 100);
  assert.equal(estimator.rtoMs(100), (300 + RTO_INITIAL_MS) / 2);
});

test('the second measurement has weight 1/8 in the mean and 1/4 in the variation', () => {
  const estimator = new RtoEstimator();
  estimator.addMeasurement(firstResponseOf(100, 100, 0), 100);
  estimator.addMeasurement(firstResponseOf(200, 200, 0), 300);
  const strongMs = 112.5 + 4 * (0.75 * 50 + 0.25 * 100);
  assert.equal(estimator.rtoMs(300), (strongMs + (300 + RTO_INITIAL_MS) / 2) / 2);
});

test('the fourth weak measurement in a row moves the RTO a quarter to R + R/2', () => {
  const estimator = new RtoEstimator();
  for (let nowMs = 1; nowMs <= 3; nowMs += 1) estimator.addMeasurement(firstResponseOf(2_800, 400, 1), nowMs);
  assert.equal(estimator.rtoMs(4), RTO_INITIAL_MS);
  estimator.addMeasurement(firstResponseOf(2_800, 400, 1), 4);
  assert.equal(estimator.rtoMs(4), 0.25 * 4_200 + 0.75 * RTO_INITIAL_MS);
});

test('the RTO converges within 30 exchanges on a constant round trip', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_900 }), (roundTripMs) => {
      const estimator = new RtoEstimator();
      const rtoMs = estimator.rtoMs(measureSteadily(estimator, roundTripMs, 30));
      assert.ok(rtoMs > roundTripMs + 49, `${rtoMs} leaves no slack over ${roundTripMs}`);
      assert.ok(rtoMs < Math.max(RTO_MS_MIN + 1, roundTripMs * 1.1 + 101), `${rtoMs} for ${roundTripMs}`);
    }),
  );
});

test('the RTO stays at its minimum with 20 to 50 ms of server jitter', () => {
  const estimator = new RtoEstimator();
  let nowMs = 0;
  for (let exchange = 0; exchange < 200; exchange += 1) {
    nowMs = measureSteadily(estimator, 20 + ((exchange * 17) % 31), 1, nowMs);
  }
  assert.equal(estimator.rtoMs(nowMs), RTO_MS_MIN);
});

test('the RTO stays between its bounds for any measurements', () => {
  const firstResponse = fc.record({
    sinceFirstMs: fc.double({ min: 0, max: 247_000, noNaN: true }),
    lastShare: fc.double({ min: 0, max: 1, noNaN: true }),
    retransmissions: fc.nat(8),
    idleMs: fc.oneof(fc.nat(1_000), fc.nat(10_000_000)),
  });
  fc.assert(
    fc.property(fc.array(firstResponse, { maxLength: 60 }), (responses) => {
      const estimator = new RtoEstimator();
      let nowMs = 0;
      for (const { sinceFirstMs, lastShare, retransmissions, idleMs } of responses) {
        nowMs += idleMs + sinceFirstMs;
        estimator.addMeasurement(
          firstResponseOf(sinceFirstMs, sinceFirstMs * lastShare, retransmissions),
          nowMs,
        );
        const rtoMs = estimator.rtoMs(nowMs);
        assert.ok(rtoMs >= RTO_MS_MIN && rtoMs <= RTO_MS_MAX, `${rtoMs}`);
      }
    }),
  );
});

test('losses do not raise the RTO when the round trip is known', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 100, 30);
  const beforeMs = estimator.rtoMs(nowMs);
  for (let loss = 0; loss < 50; loss += 1) estimator.addMeasurement(firstResponseOf(350, 110, 1), nowMs);
  assert.equal(estimator.rtoMs(nowMs), beforeMs);
});

test('a response that the server retransmitted does not raise the RTO', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 100, 30);
  const beforeMs = estimator.rtoMs(nowMs);
  for (let loss = 0; loss < 3; loss += 1) estimator.addMeasurement(firstResponseOf(2_600, 2_600, 0), nowMs);
  assert.equal(estimator.rtoMs(nowMs), beforeMs);
});

test('exchanges with more than two retransmissions are ignored', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 100, 30);
  const beforeMs = estimator.rtoMs(nowMs);
  for (let exchange = 0; exchange < 20; exchange += 1)
    estimator.addMeasurement(firstResponseOf(9_000, 4_000, 3), nowMs);
  assert.equal(estimator.rtoMs(nowMs), beforeMs);
});

test('an idle small RTO doubles after 16 times its length, until it exceeds 1 s', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 50, 30);
  assert.equal(estimator.rtoMs(nowMs + 16 * 200), 200);
  assert.equal(estimator.rtoMs(nowMs + 16 * 200 + 1), 400);
  assert.equal(estimator.rtoMs(nowMs + 16 * (200 + 400) + 1), 800);
  assert.equal(estimator.rtoMs(nowMs + 1e9), 1_600);
});

test('an idle large RTO shrinks after 4 times its length, until it is below 3 s', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 8_000, 60);
  const largeMs = estimator.rtoMs(nowMs);
  assert.ok(largeMs > 8_000);
  assert.equal(estimator.rtoMs(nowMs + 4 * largeMs - 1), largeMs);
  assert.equal(estimator.rtoMs(nowMs + 4 * largeMs + 1), 1_000 + largeMs / 2);
  const restMs = estimator.rtoMs(nowMs + 1e9);
  assert.ok(restMs > 2_000 && restMs <= 3_000, `${restMs}`);
});

test('frequent reads age the RTO as much as a single read', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 50 }), (pausesMs) => {
      const [often, once] = [new RtoEstimator(), new RtoEstimator()];
      let nowMs = measureSteadily(often, 50, 30);
      measureSteadily(once, 50, 30);
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs;
        often.rtoMs(nowMs);
      }
      assert.equal(often.rtoMs(nowMs), once.rtoMs(nowMs));
    }),
  );
});

for (const [fromMs, toMs] of [
  [50, 300],
  [50, 1_000],
  [50, 3_000],
  [50, 8_000],
  [3_000, 50],
] as const) {
  test(`needless retransmissions end in 15 exchanges for ${fromMs} to ${toMs} ms`, () => {
    const estimator = new RtoEstimator();
    let nowMs = measureSteadily(estimator, fromMs, 60);
    const needless: number[] = [];
    for (let exchange = 0; exchange < 60; exchange += 1) {
      const { retransmitAfterMs } = retransmissionTiming(
        'retryable',
        ((exchange * 7) % 10) / 10,
        estimator.rtoMs(nowMs),
      );
      let [lastMs, retransmissions] = [0, 0];
      for (const pauseMs of retransmitAfterMs) {
        if (lastMs + pauseMs >= toMs) break;
        lastMs += pauseMs;
        retransmissions += 1;
      }
      nowMs += toMs;
      estimator.addMeasurement(firstResponseOf(toMs, toMs - lastMs, retransmissions), nowMs);
      needless.push(retransmissions);
    }
    assert.deepEqual(needless.slice(15), Array(45).fill(0));
  });
}

test('the callback gets every exchange without retransmission, also ambiguous ones', () => {
  const measuredMs: number[] = [];
  const estimator = new RtoEstimator((ms) => measuredMs.push(ms));
  for (const [sinceFirstMs, retransmissions] of [
    [60, 0],
    [2_060, 1],
    [2_500, 0],
    [9_000, 3],
  ] as const)
    estimator.addMeasurement({ sinceFirstMs, sinceLastMs: 60, retransmissions }, 0);
  assert.deepEqual(measuredMs, [60, 2_500]);
});

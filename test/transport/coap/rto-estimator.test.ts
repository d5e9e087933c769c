/** What the retransmission time-out learns, what it doubts, and between which bounds it stays. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { retransmissionTiming } from '../../../src/transport/coap/retransmission.ts';
import {
  RTO_INITIAL_MS,
  RTO_MS_MAX,
  RTO_MS_MIN,
  RtoEstimator,
} from '../../../src/transport/coap/rto-estimator.ts';

/** `count` exchanges of `roundTripMs`, one after the other, none repeated; returns the time they end at. */
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

/** A sign of life after `repetitions`, the last of them `sinceLastMs` ago. */
const repeated = (sinceFirstMs: number, sinceLastMs: number, retransmissions: number) => ({
  sinceFirstMs,
  sinceLastMs,
  retransmissions: retransmissions,
});

test('before anything is measured the time-out is 2 s, however long nothing happens', () => {
  const estimator = new RtoEstimator();
  assert.equal(estimator.rtoMs(0), RTO_INITIAL_MS);
  assert.equal(estimator.rtoMs(1e9), RTO_INITIAL_MS);
});

test('the first clear exchange of 100 ms halves the way to its own 300 ms (R + 4 R/2)', () => {
  const estimator = new RtoEstimator();
  estimator.addMeasurement(repeated(100, 100, 0), 100);
  assert.equal(estimator.rtoMs(100), (300 + RTO_INITIAL_MS) / 2);
});

test('the second one counts an eighth in the mean and a quarter in the variation', () => {
  const estimator = new RtoEstimator();
  estimator.addMeasurement(repeated(100, 100, 0), 100);
  estimator.addMeasurement(repeated(200, 200, 0), 300);
  const strongMs = 112.5 + 4 * (0.75 * 50 + 0.25 * 100);
  assert.equal(estimator.rtoMs(300), (strongMs + (300 + RTO_INITIAL_MS) / 2) / 2);
});

test('the fourth weak exchange in a row moves the time-out a quarter of the way to R + R/2', () => {
  const estimator = new RtoEstimator();
  for (let nowMs = 1; nowMs <= 3; nowMs += 1) estimator.addMeasurement(repeated(2_800, 400, 1), nowMs);
  assert.equal(estimator.rtoMs(4), RTO_INITIAL_MS);
  estimator.addMeasurement(repeated(2_800, 400, 1), 4);
  assert.equal(estimator.rtoMs(4), 0.25 * 4_200 + 0.75 * RTO_INITIAL_MS);
});

test('on a steady road the time-out comes within 30 exchanges to the round trip and a little slack', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_900 }), (roundTripMs) => {
      const estimator = new RtoEstimator();
      const rtoMs = estimator.rtoMs(measureSteadily(estimator, roundTripMs, 30));
      assert.ok(rtoMs > roundTripMs + 49, `${rtoMs} leaves no slack over ${roundTripMs}`);
      assert.ok(rtoMs < Math.max(RTO_MS_MIN + 1, roundTripMs * 1.1 + 101), `${rtoMs} for ${roundTripMs}`);
    }),
  );
});

test('with a jitter of 20 to 50 ms at the server the time-out stays at its floor', () => {
  const estimator = new RtoEstimator();
  let nowMs = 0;
  for (let exchange = 0; exchange < 200; exchange += 1) {
    nowMs = measureSteadily(estimator, 20 + ((exchange * 17) % 31), 1, nowMs);
  }
  assert.equal(estimator.rtoMs(nowMs), RTO_MS_MIN);
});

test('whatever is measured, the time-out stays between its floor and its ceiling', () => {
  const firstResponse = fc.record({
    sinceFirstMs: fc.double({ min: 0, max: 247_000, noNaN: true }),
    lastShare: fc.double({ min: 0, max: 1, noNaN: true }),
    retransmissions: fc.nat(8),
    idleMs: fc.oneof(fc.nat(1_000), fc.nat(10_000_000)),
  });
  fc.assert(
    fc.property(fc.array(firstResponse, { maxLength: 60 }), (signs) => {
      const estimator = new RtoEstimator();
      let nowMs = 0;
      for (const { sinceFirstMs, lastShare, retransmissions, idleMs } of signs) {
        nowMs += idleMs + sinceFirstMs;
        estimator.addMeasurement(repeated(sinceFirstMs, sinceFirstMs * lastShare, retransmissions), nowMs);
        const rtoMs = estimator.rtoMs(nowMs);
        assert.ok(rtoMs >= RTO_MS_MIN && rtoMs <= RTO_MS_MAX, `${rtoMs}`);
      }
    }),
  );
});

test('losses on a road of a known round trip do not lengthen the time-out', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 100, 30);
  const beforeMs = estimator.rtoMs(nowMs);
  for (let loss = 0; loss < 50; loss += 1) estimator.addMeasurement(repeated(350, 110, 1), nowMs);
  assert.equal(estimator.rtoMs(nowMs), beforeMs);
});

test('an answer that only the repetition by the server brought does not lengthen the time-out', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 100, 30);
  const beforeMs = estimator.rtoMs(nowMs);
  for (let loss = 0; loss < 3; loss += 1) estimator.addMeasurement(repeated(2_600, 2_600, 0), nowMs);
  assert.equal(estimator.rtoMs(nowMs), beforeMs);
});

test('exchanges repeated more than twice are ignored, in whatever number', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 100, 30);
  const beforeMs = estimator.rtoMs(nowMs);
  for (let exchange = 0; exchange < 20; exchange += 1)
    estimator.addMeasurement(repeated(9_000, 4_000, 3), nowMs);
  assert.equal(estimator.rtoMs(nowMs), beforeMs);
});

test('a small time-out that is not used doubles after 16 times its length, up to over 1 s and no further', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 50, 30);
  assert.equal(estimator.rtoMs(nowMs + 16 * 200), 200);
  assert.equal(estimator.rtoMs(nowMs + 16 * 200 + 1), 400);
  assert.equal(estimator.rtoMs(nowMs + 16 * (200 + 400) + 1), 800);
  assert.equal(estimator.rtoMs(nowMs + 1e9), 1_600);
});

test('a large time-out that is not used shrinks after 4 times its length, to under 3 s and no further', () => {
  const estimator = new RtoEstimator();
  const nowMs = measureSteadily(estimator, 8_000, 60);
  const largeMs = estimator.rtoMs(nowMs);
  assert.ok(largeMs > 8_000);
  assert.equal(estimator.rtoMs(nowMs + 4 * largeMs - 1), largeMs);
  assert.equal(estimator.rtoMs(nowMs + 4 * largeMs + 1), 1_000 + largeMs / 2);
  const restMs = estimator.rtoMs(nowMs + 1e9);
  assert.ok(restMs > 2_000 && restMs <= 3_000, `${restMs}`);
});

test('looking often ages a time-out as much as looking once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 50 }), (looksMs) => {
      const [often, once] = [new RtoEstimator(), new RtoEstimator()];
      let nowMs = measureSteadily(often, 50, 30);
      measureSteadily(once, 50, 30);
      for (const lookMs of looksMs) {
        nowMs += lookMs;
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
  test(`when the round trip goes from ${fromMs} to ${toMs} ms without a loss, needless repetitions end within 15 exchanges`, () => {
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
      estimator.addMeasurement(repeated(toMs, toMs - lastMs, retransmissions), nowMs);
      needless.push(retransmissions);
    }
    assert.deepEqual(needless.slice(15), Array(45).fill(0));
  });
}

test('who asks hears of each exchange that was sent once, also of one that is not believed to be the road', () => {
  const heardMs: number[] = [];
  const estimator = new RtoEstimator((ms) => heardMs.push(ms));
  for (const [sinceFirstMs, retransmissions] of [
    [60, 0],
    [2_060, 1],
    [2_500, 0],
    [9_000, 3],
  ] as const)
    estimator.addMeasurement({ sinceFirstMs, sinceLastMs: 60, retransmissions }, 0);
  assert.deepEqual(heardMs, [60, 2_500]);
});

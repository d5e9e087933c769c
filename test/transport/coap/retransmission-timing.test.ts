/** Retransmission times: the jitter of the first pause, the growth, the end. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { retransmissionTiming } from '../../../src/transport/coap/retransmission-timing.ts';
import { RTO_MS_MAX, RTO_MS_MIN } from '../../../src/transport/coap/rto-estimator.ts';

const retryable = (rtoMs: number, uniform = 0) =>
  retransmissionTiming('retryable', uniform, rtoMs).retransmitAfterMs;

test('pauses triple under 1 s, double from 1 to 3 s, and grow by half above', () => {
  assert.deepEqual(retryable(200).slice(0, 4), [200, 600, 1_800, 5_400]);
  assert.deepEqual(retryable(999).slice(0, 2), [999, 2_997]);
  assert.deepEqual(retryable(1_000).slice(0, 3), [1_000, 2_000, 4_000]);
  assert.deepEqual(retryable(3_000).slice(0, 2), [3_000, 6_000]);
  assert.deepEqual(retryable(4_000).slice(0, 3), [4_000, 6_000, 9_000]);
});

test('the factor depends on the RTO, not on the pause with jitter', () => {
  assert.deepEqual(retryable(900, 0.999).slice(0, 2), [1_350, 4_050]);
});

test('jitter spreads the first pause over 1 to 1.5 times the RTO', () => {
  assert.equal(retryable(400, 0)[0], 400);
  assert.equal(retryable(400, 0.5)[0], 500);
  assert.equal(retryable(400, 0.999)[0], 600);
});

test('a retryable request sends 4 to 8 datagrams, the last 5 s before its end', () => {
  fc.assert(
    fc.property(
      fc.double({ min: RTO_MS_MIN, max: RTO_MS_MAX, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (rtoMs, uniform) => {
        const { retransmitAfterMs, noAckTimeoutMs, responseTimeoutMs } = retransmissionTiming(
          'retryable',
          uniform,
          rtoMs,
        );
        const datagrams = 1 + retransmitAfterMs.length;
        assert.ok(datagrams >= 4 && datagrams <= 8, `${datagrams} datagrams`);
        assert.ok(Math.max(...retransmitAfterMs) <= 10_000);
        const lastMs = retransmitAfterMs.reduce((sum, pauseMs) => sum + pauseMs, 0);
        assert.ok(lastMs <= 40_000 && lastMs > 25_000, `${lastMs}`);
        assert.deepEqual([noAckTimeoutMs, responseTimeoutMs], [45_000, 15_000]);
      },
    ),
  );
});

test('a once request ignores the RTO: 2 s, doubling to 20 s, over 247 s', () => {
  const once = retransmissionTiming('once', 0, 200);
  assert.deepEqual(once.retransmitAfterMs.slice(0, 6), [2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
  assert.ok(once.retransmitAfterMs.reduce((sum, pauseMs) => sum + pauseMs, 0) < 237_000);
  assert.deepEqual([once.noAckTimeoutMs, once.responseTimeoutMs], [247_000, 247_000]);
});

/** One exchange in virtual time: retransmissions, measurements and timeouts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../../../src/transport/coap/confirmable-exchange.ts';
import type { ResponseMessage } from '../../../src/transport/coap/datagram.ts';
import {
  type RetransmitPolicy,
  retransmissionTiming,
} from '../../../src/transport/coap/retransmission-timing.ts';
import type { FirstResponse } from '../../../src/transport/coap/rto-estimator.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const ANSWER: ResponseMessage = {
  type: 'response',
  messageId: 9,
  token: 'aa',
  code: '2.01',
  kind: 'confirmable',
  payload: Buffer.alloc(0),
  isComplete: true,
  isBare: true,
};

/** An exchange with an RTO of 200 ms without jitter, just sent. */
function startExchange(policy: RetransmitPolicy = 'retryable') {
  const clock = new VirtualClock();
  const sentAtMs: number[] = [];
  const measurements: FirstResponse[] = [];
  const exchange = new Exchange(
    {
      token: 'aa',
      policy,
      timing: retransmissionTiming(policy, 0, 200),
      rtoEstimator: { addMeasurement: (sign) => measurements.push(sign) },
      isIdempotent: true,
      deferAcknowledgement: false,
    },
    clock,
    'peer',
  );
  exchange.start(7, () => sentAtMs.push(clock.monotonicMs()));
  return {
    clock,
    exchange,
    sentAtMs,
    measurements,
    respond: () => exchange.onResponse(ANSWER, () => {}),
  };
}

test('a prompt response is measured as a round trip without retransmission', async () => {
  const { clock, measurements, respond } = startExchange();
  await clock.advance(120);
  respond();
  assert.deepEqual(measurements, [{ sinceFirstMs: 120, sinceLastMs: 120, retransmissions: 0 }]);
});

test('after two retransmissions both times are measured, from first and last', async () => {
  const { clock, measurements, sentAtMs, respond } = startExchange();
  await clock.advance(900);
  respond();
  assert.deepEqual(sentAtMs, [0, 200, 800]);
  assert.deepEqual(measurements, [{ sinceFirstMs: 900, sinceLastMs: 100, retransmissions: 2 }]);
});

test('only the first acknowledgement is measured, not the response after it', async () => {
  const { clock, exchange, measurements, respond } = startExchange();
  await clock.advance(150);
  exchange.onAcknowledged();
  await clock.advance(4_000);
  exchange.onAcknowledged();
  respond();
  assert.deepEqual(measurements, [{ sinceFirstMs: 150, sinceLastMs: 150, retransmissions: 0 }]);
});

test('a duplicate response and a reset are not measured', async () => {
  const first = startExchange();
  first.respond();
  first.respond();
  assert.equal(first.measurements.length, 1);
  const second = startExchange();
  second.exchange.fail({ reason: 'connection-reset', detail: '' });
  second.respond();
  assert.deepEqual(second.measurements, []);
});

test('a request without a response sends 8 datagrams in 45 s', async () => {
  const { clock, exchange, sentAtMs } = startExchange();
  await clock.advance(45_000);
  const outcome = await exchange.outcome;
  assert.equal(outcome.type === 'failed' && outcome.failure.reason, 'server-timeout');
  assert.deepEqual(sentAtMs, [0, 200, 800, 2_600, 8_000, 18_000, 28_000, 38_000]);
});

test('an acknowledged retryable request is not repeated and fails after 15 s', async () => {
  const { clock, exchange, sentAtMs } = startExchange();
  await clock.advance(150);
  exchange.onAcknowledged();
  await clock.advance(14_999);
  assert.equal(exchange.isFinished, false);
  await clock.advance(1);
  const outcome = await exchange.outcome;
  assert.equal(outcome.type === 'failed' && outcome.failure.reason, 'no-response-after-ack');
  assert.deepEqual(sentAtMs, [0]);
});

test('a once request is repeated at 2, 6, 14 and 30 s, independent of the RTO', async () => {
  const { clock, sentAtMs } = startExchange('once');
  await clock.advance(31_000);
  assert.deepEqual(sentAtMs, [0, 2_000, 6_000, 14_000, 30_000]);
});

test('retransmissions that became due during a stall are sent as one', async () => {
  const clock = new VirtualClock();
  let stalledMs = 0;
  const sentAtMs: number[] = [];
  const stalling = {
    bootId: clock.bootId,
    bootMs: () => clock.bootMs(),
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs() + stalledMs,
    sleep: (ms: number, signal: AbortSignal) => clock.sleep(ms, signal),
  };
  const settings = {
    token: 'aa',
    policy: 'retryable',
    timing: retransmissionTiming('retryable', 0, 200),
    rtoEstimator: { addMeasurement: () => {} },
    isIdempotent: true,
    deferAcknowledgement: false,
  } as const;
  new Exchange(settings, stalling, 'peer').start(7, () => sentAtMs.push(stalling.monotonicMs()));
  stalledMs = 3_000;
  await clock.advance(200);
  assert.deepEqual(sentAtMs, [0, 3_200]);
  await clock.advance(600);
  assert.deepEqual(sentAtMs, [0, 3_200, 3_800]);
});

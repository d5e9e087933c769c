/** One exchange in virtual time: when it repeats, what it tells of the round trip, what a silence costs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../../src/transport/coap/datagram.ts';
import { Exchange } from '../../../src/transport/coap/exchange.ts';
import { type Patience, timing } from '../../../src/transport/coap/retransmission.ts';
import type { SignOfLife } from '../../../src/transport/coap/rto-estimator.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const ANSWER: Answer = {
  type: 'answer',
  messageId: 9,
  token: 'aa',
  code: '2.01',
  kind: 'confirmable',
  payload: Buffer.alloc(0),
  whole: true,
};

/** An exchange with a time-out of 200 ms, not dithered, that has just been sent. */
function begun(patience: Patience = 'usual') {
  const clock = new VirtualClock();
  const sentAtMs: number[] = [];
  const heard: SignOfLife[] = [];
  const exchange = new Exchange(
    {
      token: 'aa',
      patience,
      timing: timing(patience, 0, 200),
      roundTrip: { measured: (sign) => heard.push(sign) },
      confirmLater: false,
    },
    clock,
    'peer',
  );
  exchange.start(7, () => sentAtMs.push(clock.monotonicMs()));
  return { clock, exchange, sentAtMs, heard, answered: () => exchange.answered(ANSWER, () => {}) };
}

test('an answer at once is a round trip without repetition', async () => {
  const { clock, heard, answered } = begun();
  await clock.advance(120);
  answered();
  assert.deepEqual(heard, [{ sinceFirstMs: 120, sinceLastMs: 120, repetitions: 0 }]);
});

test('after two repetitions the round trip is told from the first datagram and from the last', async () => {
  const { clock, heard, sentAtMs, answered } = begun();
  await clock.advance(900);
  answered();
  assert.deepEqual(sentAtMs, [0, 200, 800]);
  assert.deepEqual(heard, [{ sinceFirstMs: 900, sinceLastMs: 100, repetitions: 2 }]);
});

test('an acknowledgement is the sign of life; the answer after it, and a second acknowledgement, are none', async () => {
  const { clock, exchange, heard, answered } = begun();
  await clock.advance(150);
  exchange.acknowledged();
  await clock.advance(4_000);
  exchange.acknowledged();
  answered();
  assert.deepEqual(heard, [{ sinceFirstMs: 150, sinceLastMs: 150, repetitions: 0 }]);
});

test('a second copy of the answer, a reset and a broken road measure nothing', async () => {
  const first = begun();
  first.answered();
  first.answered();
  assert.equal(first.heard.length, 1);
  const second = begun();
  second.exchange.refuse({ reason: 'reset', detail: '' });
  second.answered();
  assert.deepEqual(second.heard, []);
});

test('a silence of 45 s costs 8 datagrams, soon at first and then every 10 s', async () => {
  const { clock, exchange, sentAtMs } = begun();
  await clock.advance(45_000);
  const outcome = await exchange.outcome;
  assert.equal(outcome.type === 'refused' && outcome.refusal.reason, 'silent');
  assert.deepEqual(sentAtMs, [0, 200, 800, 2_600, 8_000, 18_000, 28_000, 38_000]);
});

test('an acknowledged usual request is not repeated, and given up 15 s later', async () => {
  const { clock, exchange, sentAtMs } = begun();
  await clock.advance(150);
  exchange.acknowledged();
  await clock.advance(14_999);
  assert.equal(exchange.isOver, false);
  await clock.advance(1);
  const outcome = await exchange.outcome;
  assert.equal(outcome.type === 'refused' && outcome.refusal.reason, 'acknowledged-only');
  assert.deepEqual(sentAtMs, [0]);
});

test('a single request is repeated at 2, 6, 14 and 30 s, whatever the round trip', async () => {
  const { clock, sentAtMs } = begun('single');
  await clock.advance(31_000);
  assert.deepEqual(sentAtMs, [0, 2_000, 6_000, 14_000, 30_000]);
});

test('after a stall of the process, repetitions that were due meanwhile leave as one', async () => {
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
    patience: 'usual',
    timing: timing('usual', 0, 200),
    roundTrip: { measured: () => {} },
    confirmLater: false,
  } as const;
  new Exchange(settings, stalling, 'peer').start(7, () => sentAtMs.push(stalling.monotonicMs()));
  stalledMs = 3_000;
  await clock.advance(200);
  assert.deepEqual(sentAtMs, [0, 3_200]);
  await clock.advance(600);
  assert.deepEqual(sentAtMs, [0, 3_200, 3_800]);
});

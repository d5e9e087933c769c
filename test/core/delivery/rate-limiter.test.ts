/** The rate limit of the backlog: bounded, without bursts, slower for an overloaded server. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { RateLimiter } from '../../../src/core/delivery/rate-limiter.ts';

it('any period has at most one message more than the rate allows', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), gaps, (perS, waits) => {
      const rateLimiter = new RateLimiter(perS);
      const sentMs: number[] = [];
      let nowMs = 0;
      for (const waitMs of waits) {
        nowMs += waitMs;
        if (nowMs < rateLimiter.dueMs) continue;
        rateLimiter.onSent(nowMs, 1);
        sentMs.push(nowMs);
      }
      for (const [first, fromMs] of sentMs.entries()) {
        for (let last = first; last < sentMs.length; last += 1) {
          const spanS = ((sentMs[last] ?? 0) - fromMs) / 1000;
          assert.ok(last - first + 1 <= spanS * perS + 1 + 1e-6);
        }
      }
    }),
    { seed: 20_261_122, numRuns: 200 },
  );
});

it('a reading with several messages uses the limit several times', () => {
  const rateLimiter = new RateLimiter(10);
  rateLimiter.onSent(0, 3);
  assert.equal(rateLimiter.dueMs, 300);
});

it('messages sent before they are due do not add up', () => {
  const rateLimiter = new RateLimiter(10);
  for (let count = 0; count < 30; count += 1) rateLimiter.onRejected();
  for (let count = 0; count < 100; count += 1) rateLimiter.onSent(count * 1_000, 1);
  assert.equal(rateLimiter.dueMs, 99_000 + 60_000);
});

it('each rejection halves the rate, down to 1 per min; acceptance restores it', () => {
  const rateLimiter = new RateLimiter(10);
  const interval = () => {
    const nowMs = Math.max(0, rateLimiter.dueMs);
    rateLimiter.onSent(nowMs, 1);
    return rateLimiter.dueMs - nowMs;
  };
  assert.equal(interval(), 100);
  rateLimiter.onRejected();
  assert.equal(interval(), 200);
  for (let count = 0; count < 30; count += 1) rateLimiter.onRejected();
  assert.equal(interval(), 60_000);
  for (let count = 0; count < 200; count += 1) rateLimiter.onAccepted();
  assert.equal(interval(), 100);
});

/** The intervals of a backlog whose server accepts one message each `limitMs`, and the number of rejections. */
function meet(limitMs: number, messages: number) {
  const rateLimiter = new RateLimiter(10);
  let nowMs = 0;
  let acceptedMs = Number.NEGATIVE_INFINITY;
  let rejections = 0;
  for (let count = 0; count < messages; count += 1) {
    nowMs = Math.max(nowMs, rateLimiter.dueMs);
    rateLimiter.onSent(nowMs, 1);
    if (nowMs - acceptedMs >= limitMs) {
      acceptedMs = nowMs;
      rateLimiter.onAccepted();
    } else {
      rejections += 1;
      rateLimiter.onRejected();
    }
  }
  return { tookMs: nowMs, rejections };
}

it('a limit is used to three quarters and exceeded once in twenty messages', () => {
  const { tookMs, rejections } = meet(1_200, 2_000);
  assert.ok(rejections <= 100, `${rejections}`);
  const accepted = 2_000 - rejections;
  assert.ok(accepted >= (0.75 * tookMs) / 1_200, `${accepted} in ${tookMs} ms`);
});

it('after a long outage the rate recovers within 15 minutes', () => {
  const rateLimiter = new RateLimiter(10);
  for (let count = 0; count < 100; count += 1) rateLimiter.onRejected();
  let nowMs = 0;
  for (let intervalMs = 60_000; intervalMs > 130; ) {
    rateLimiter.onAccepted();
    const dueMs = Math.max(nowMs, rateLimiter.dueMs);
    rateLimiter.onSent(dueMs, 1);
    intervalMs = rateLimiter.dueMs - dueMs;
    nowMs = dueMs;
  }
  assert.ok(nowMs < 15 * 60_000, `${nowMs}`);
});

it('a fresh reading delays the backlog at a limit only, by at most a second', () => {
  const rateLimiter = new RateLimiter(10);
  rateLimiter.onFrontSent(1_000);
  assert.ok(rateLimiter.dueMs <= 0);
  rateLimiter.onRejected();
  rateLimiter.onFrontSent(1_000);
  assert.equal(rateLimiter.dueMs, 1_200);
  for (let count = 0; count < 30; count += 1) rateLimiter.onRejected();
  rateLimiter.onFrontSent(10_000);
  assert.equal(rateLimiter.dueMs, 11_100);
});

it('a reset returns to the full rate', () => {
  const rateLimiter = new RateLimiter(10);
  for (let count = 0; count < 30; count += 1) rateLimiter.onRejected();
  rateLimiter.pauseUntil(300_000);
  rateLimiter.reset(5_000);
  assert.equal(rateLimiter.dueMs, 5_100);
  rateLimiter.holdUntil(60_000);
  rateLimiter.reset(5_000);
  assert.equal(rateLimiter.dueMs, 60_000);
});

it('without a limit nothing is delayed until the server rejects a message', () => {
  const rateLimiter = new RateLimiter(Number.POSITIVE_INFINITY);
  rateLimiter.onSent(5, 1);
  assert.equal(rateLimiter.dueMs, 5);
  rateLimiter.onRejected();
  rateLimiter.onSent(5, 1);
  assert.ok(rateLimiter.dueMs > 5);
});

it('nothing is sent before the time given to holdUntil', () => {
  const rateLimiter = new RateLimiter(10);
  rateLimiter.holdUntil(5_000);
  assert.equal(rateLimiter.dueMs, 5_000);
  rateLimiter.holdUntil(1_000);
  assert.equal(rateLimiter.dueMs, 5_000);
});

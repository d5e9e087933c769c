/** The pace of a backlog: bounded, without bursts, and slower for a server that asks for mercy. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { Pace } from '../../../src/core/delivery/rate-limiter.ts';

it('in any stretch of time there are no more messages than the pace allows, and one', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), gaps, (perS, waits) => {
      const pace = new Pace(perS);
      const sentMs: number[] = [];
      let nowMs = 0;
      for (const waitMs of waits) {
        nowMs += waitMs;
        if (nowMs < pace.dueMs) continue;
        pace.sent(nowMs, 1);
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

it('a reading of several messages is paid for as several', () => {
  const pace = new Pace(10);
  pace.sent(0, 3);
  assert.equal(pace.dueMs, 300);
});

it('each refusal halves it, down to one a minute; acceptances bring it back, and no further', () => {
  const pace = new Pace(10);
  const interval = () => {
    const nowMs = Math.max(0, pace.dueMs);
    pace.sent(nowMs, 1);
    return pace.dueMs - nowMs;
  };
  assert.equal(interval(), 100);
  pace.refused();
  assert.equal(interval(), 200);
  for (let count = 0; count < 30; count += 1) pace.refused();
  assert.equal(interval(), 60_000);
  for (let count = 0; count < 200; count += 1) pace.accepted();
  assert.equal(interval(), 100);
});

it('without a limit nothing is held back, until the server refuses', () => {
  const pace = new Pace(Number.POSITIVE_INFINITY);
  pace.sent(5, 1);
  assert.equal(pace.dueMs, 5);
  pace.refused();
  pace.sent(5, 1);
  assert.ok(pace.dueMs > 5);
});

it('held until an instant, it goes no sooner', () => {
  const pace = new Pace(10);
  pace.holdUntil(5_000);
  assert.equal(pace.dueMs, 5_000);
  pace.holdUntil(1_000);
  assert.equal(pace.dueMs, 5_000);
});

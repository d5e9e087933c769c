/** Backlogs of 5,000 readings against limits of data points, from several seeds, and one against 30 messages a minute. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { POINT_LIMITS } from '../doubles/point-limit.ts';
import { drain } from './limited-server.ts';

const HOUR_MS = 3_600_000;
/** One point less a second than a reading has values. */
const TIGHT = [
  { max: 5, perMs: 1_000 },
  { max: 180, perMs: 60_000 },
];

describe('5,000 queued readings of 12 values', () => {
  for (const seed of [1, 2, 3]) {
    it(`are stored once within 2.5 hours by a server of 20 points a second, seed ${seed}`, {
      timeout: 300_000,
    }, async () => {
      // The minimum is 1.9 hours: 600 points a minute, 72 of them for fresh readings.
      const { missing, repeated, tookMs, delaysMs, harness } = await drain({
        backlog: 5_000,
        values: 12,
        limits: POINT_LIMITS,
        maxMs: 2.5 * HOUR_MS,
        seed,
      });
      assert.deepEqual([missing, repeated, harness.outbox.size], [0, 0, 0], `${tookMs} ms`);
      assert.ok(Math.max(...delaysMs) <= 10_000, `${Math.max(...delaysMs)}`);
    });
  }
});

describe('a server that accepts fewer points a second than a reading has', () => {
  for (const seed of [1, 2, 3]) {
    it(`stores each of 200 queued readings in parts, seed ${seed}`, { timeout: 300_000 }, async () => {
      const { missing, harness, tookMs } = await drain({
        backlog: 200,
        values: 12,
        limits: TIGHT,
        maxMs: 2 * HOUR_MS,
        seed,
      });
      assert.ok(missing <= 24, `${missing} after ${tookMs} ms`);
      assert.ok(harness.outbox.size <= 2, `${harness.outbox.size}`);
      assert.equal(harness.log.events.filter((event) => event === 'FL-READINGS-LOST').length, 0);
    });
  }
});

it('1,500 queued readings are stored once within an hour by a server of 30 messages a minute', {
  timeout: 300_000,
}, async () => {
  const limits = [{ max: 30, perMs: 60_000, of: 'messages' as const }];
  const outcome = await drain({ backlog: 1_500, values: 12, limits, maxMs: 2 * HOUR_MS });
  assert.deepEqual([outcome.missing, outcome.repeated, outcome.harness.outbox.size], [0, 0, 0]);
  assert.ok(outcome.tookMs <= HOUR_MS, `${outcome.tookMs} ms`);
  assert.ok(Math.max(...outcome.delaysMs) <= 60_000, `${Math.max(...outcome.delaysMs)}`);
});

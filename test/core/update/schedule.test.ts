/** When an update begins. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInWindow, startDelayMs } from '../../../src/core/update/schedule.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const night = { fromMinute: 120, toMinute: 300 };
const midnight = { fromMinute: 1380, toMinute: 60 };

test('a window contains its first minute and not its last, also over midnight', () => {
  assert.deepEqual(
    [119, 120, 299, 300].map((minute) => isInWindow(night, minute)),
    [false, true, true, false],
  );
  assert.deepEqual(
    [1379, 1380, 0, 59, 60].map((minute) => isInWindow(midnight, minute)),
    [false, true, true, true, false],
  );
  assert.ok(isInWindow(undefined, 700));
});

test('without a window an update begins after a random part of the spread', () => {
  assert.equal(startDelayMs({ spreadMs: HOUR_MS }, 0, 0.25), HOUR_MS / 4);
  assert.equal(startDelayMs({ spreadMs: 0 }, 0, 0.25), 0);
});

test('the spread begins when the window opens', () => {
  const delayMs = startDelayMs({ spreadMs: HOUR_MS, window: night }, 60, 0.5);
  assert.equal(delayMs, 60 * MINUTE_MS + HOUR_MS / 2);
});

test('an update always begins within its window', () => {
  const minute = fc.integer({ min: 0, max: 1439 });
  fc.assert(
    fc.property(
      minute,
      minute,
      minute,
      fc.nat(24 * HOUR_MS),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (fromMinute, toMinute, now, spreadMs, share) => {
        const window = { fromMinute, toMinute };
        const delayMs = startDelayMs({ spreadMs, window }, now, share);
        const begins = Math.floor(now + delayMs / MINUTE_MS) % 1440;
        assert.ok(isInWindow(window, begins), `${begins}`);
      },
    ),
  );
});

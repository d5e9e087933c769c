/** Weeks in virtual time, in small: two gateways for a day; and that a seed tells all. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneWeek } from './one-week.ts';
import { testWeeks } from './weeks.ts';

testWeeks([{ gateways: 2, days: 1, seed: 1 }]);

describe('a seed', () => {
  it('gives the same weeks every time, whether they are written down or not', async () => {
    const once = await oneWeek({ seed: 7, days: 1 });
    const again = await oneWeek({ seed: 7, days: 1, traceMax: 10 });
    assert.deepEqual({ ...again, trace: [] }, once);
    assert.equal(again.trace.length, 10);
  });

  it('gives other weeks than its neighbour', async () => {
    const [one, other] = [await oneWeek({ seed: 8, days: 1 }), await oneWeek({ seed: 9, days: 1 })];
    assert.notDeepEqual({ ...one, seed: 0 }, { ...other, seed: 0 });
  });
});

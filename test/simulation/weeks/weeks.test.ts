/** Days in virtual time: one gateway, and that a run depends only on its seed. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { repetitions } from '../../repetitions.ts';
import { oneWeek } from './one-week.ts';
import { testWeeks } from './week-tests.ts';

testWeeks([{ gateways: 1, days: 1, seed: 1 }]);

const DAYS = repetitions(0.5, 0.15);

describe('the seed of a week', () => {
  it('a seed gives the same week every time, with and without a trace', async () => {
    const first = await oneWeek({ seed: 7, days: DAYS });
    const second = await oneWeek({ seed: 7, days: DAYS, traceMax: 10 });
    assert.deepEqual({ ...second, trace: [] }, first);
    assert.equal(second.trace.length, 10);
  });

  it('two seeds give different weeks', async () => {
    const [one, other] = [await oneWeek({ seed: 8, days: DAYS }), await oneWeek({ seed: 9, days: DAYS })];
    assert.notDeepEqual({ ...one, seed: 0 }, { ...other, seed: 0 });
  });
});

/**
 * Weeks in virtual time, from fixed seeds: a few dozen gateways. `npm run simulate -- weeks --gateways 1000` does a thousand.
 *
 * When one fails, its message holds the command that repeats it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Campaign, simulateWeeks } from './campaign.ts';
import { oneWeek } from './one-week.ts';
import { brokenWeeks } from './report.ts';

const DAYS: Campaign = { gateways: 20, days: 2, seed: 1 };
const WEEK: Campaign = { gateways: 4, days: 7, seed: 1001 };
const OFTEN_KILLED: Campaign = { gateways: 6, days: 2, seed: 1, oftenKilled: true };

describe('whatever the road, the server, the power, the disk and the clock do for days', () => {
  for (const campaign of [DAYS, WEEK, OFTEN_KILLED]) {
    const { gateways, days, oftenKilled = false } = campaign;
    it(`${gateways} ${oftenKilled ? 'often killed ' : ''}gateways for ${days} days lose nothing untold, double nothing and mis-date nothing`, async () => {
      const tally = await simulateWeeks(campaign);
      assert.equal(tally.red, 0, brokenWeeks(tally, campaign));
      assert.equal(tally.lost['beyond the bounds'] ?? 0, 0);
      assert.equal(tally.gateways, gateways);
      // Faults that cost nothing would prove nothing.
      assert.ok((tally.lost['power cut'] ?? 0) > 0, 'the power cuts cost nothing: are they still drawn?');
      assert.ok(tally.repeated > 0, 'nothing is repeated: are answers still lost?');
    });
  }
});

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

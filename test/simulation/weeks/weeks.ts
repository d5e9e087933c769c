/**
 * Weeks in virtual time, from fixed seeds. `npm run simulate -- weeks --gateways 1000` does a thousand gateways.
 *
 * When one fails, its message holds the command that repeats it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Campaign, simulateWeeks } from './campaign.ts';
import { brokenWeeks } from './report.ts';

export function testWeeks(campaigns: readonly Campaign[]): void {
  describe('whatever the road, the server, the power, the disk and the clock do for days', () => {
    for (const campaign of campaigns) {
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
}

/**
 * Weeks in virtual time, from fixed seeds. `npm run simulate -- weeks --gateways 1000` simulates a thousand
 * gateways. The message of a failure contains the command that repeats it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Campaign, simulateWeeks } from './campaign.ts';
import { brokenWeeks } from './report.ts';

export function testWeeks(campaigns: readonly Campaign[]): void {
  describe('days with faults of network, server, power, disk and clock', () => {
    for (const campaign of campaigns) {
      const { gateways, days, oftenKilled = false, diskFault } = campaign;
      const which = `${oftenKilled ? 'often killed ' : ''}gateways${diskFault ? ` with ${diskFault} disks` : ''}`;
      it(`${gateways} ${which} report every loss in ${days} days, with correct timestamps, settings and commands`, async () => {
        const summary = await simulateWeeks(campaign);
        assert.equal(summary.failed, 0, brokenWeeks(summary, campaign));
        assert.equal(summary.lost['beyond the bounds'] ?? 0, 0);
        assert.equal(summary.gateways, gateways);
        // Faults without effect would prove nothing.
        assert.ok(
          (summary.lost['power cut'] ?? 0) > 0,
          'no reading was lost in a power cut: are power cuts still drawn?',
        );
        assert.ok(summary.repeated > 0, 'no reading was repeated: are responses still lost?');
        if (oftenKilled) return;
        assert.ok(summary.commands > 0, 'no command was executed: does the operator still send them?');
        assert.ok(summary.trials > 0, 'no setting was on trial: does the operator still change them?');
      });
    }
  });
}

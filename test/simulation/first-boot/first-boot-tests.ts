/**
 * First boots in virtual time, from fixed seeds. `npm run simulate` runs thousands of each strategy. The
 * message of a failure contains the command that repeats it, event by event.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCampaign } from './campaign.ts';
import { brokenPromises } from './report.ts';
import { NEVER_STRANDED, STRATEGY_NAMES } from './strategies.ts';

const FIRST_SEED = 1;

/** Runs `boots` boots of each strategy. */
export function testFirstBoots(boots: number): void {
  describe('a first boot with faults of network, server and power', () => {
    for (const strategy of STRATEGY_NAMES) {
      it(`${strategy}: ${boots} boots are provisioned or log why not, with one device`, async () => {
        const summary = await runCampaign({ strategy, boots, seed: FIRST_SEED });
        assert.equal(summary.failed, 0, brokenPromises(summary, undefined));
        assert.equal(summary.duplicateDevices, 0);
        assert.equal(summary.provisioned + summary.stranded, boots);
        if (strategy === NEVER_STRANDED) assert.equal(summary.stranded, 0);
        // Plans without effect would prove nothing.
        else assert.ok(summary.stranded > 0, 'no gateway was stranded: are faults still drawn?');
      });
    }
  });
}

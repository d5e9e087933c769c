/**
 * First boots in virtual time, from fixed seeds. `npm run simulate` does thousands of each strategy.
 *
 * When one fails, its message holds the command that repeats it, event by event.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokenPromises } from './report.ts';
import { NEVER_STRANDED, STRATEGY_NAMES } from './strategies.ts';
import { tally } from './tally.ts';

const FIRST_SEED = 1;

/** So many boots of each strategy. */
export function testFirstBoots(boots: number): void {
  describe('whatever the road, the server and the power do to a first boot', () => {
    for (const strategy of STRATEGY_NAMES) {
      it(`${strategy}: ${boots} boots end provisioned or say precisely why not, and never make a second device`, async () => {
        const sum = await tally({ strategy, boots, seed: FIRST_SEED });
        assert.equal(sum.red, 0, brokenPromises(sum, undefined));
        assert.equal(sum.duplicateDevices, 0);
        assert.equal(sum.provisioned + sum.stranded, boots);
        if (strategy === NEVER_STRANDED) assert.equal(sum.stranded, 0);
        // A plan that hurts nobody would prove nothing.
        else assert.ok(sum.stranded > 0, 'the faults strand nobody: are they still drawn?');
      });
    }
  });
}

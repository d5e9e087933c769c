/**
 * First boots in virtual time, from fixed seeds: a few hundred of each strategy. `npm run simulate` does thousands.
 *
 * When one fails, its message holds the command that repeats it, event by event.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clockContract } from '../contracts/clock.ts';
import { firstBoot } from './first-boot.ts';
import { brokenPromises } from './report.ts';
import { NEVER_STRANDED, STRATEGY_NAMES } from './strategies.ts';
import { tally } from './tally.ts';
import { VirtualTime } from './virtual-time.ts';

const BOOTS = 150;
const FIRST_SEED = 1;

clockContract('a clock of virtual time', () => {
  const time = new VirtualTime();
  const boot = time.boot();
  const clock = time.clock(Date.UTC(2026, 0, 1), boot);
  return {
    clock,
    pass: (ms) => time.run(time.nowMs + ms),
    elsewhere: async () => {
      const { bootId, bootMs } = time.clock(0, boot);
      return { bootId, bootMs: bootMs() };
    },
  };
});

describe('whatever the road, the server and the power do to a first boot', () => {
  for (const strategy of STRATEGY_NAMES) {
    it(`${strategy}: ${BOOTS} boots end provisioned or say precisely why not, and never make a second device`, async () => {
      const sum = await tally({ strategy, boots: BOOTS, seed: FIRST_SEED });
      assert.equal(sum.red, 0, brokenPromises(sum, undefined));
      assert.equal(sum.duplicateDevices, 0);
      assert.equal(sum.provisioned + sum.stranded, BOOTS);
      if (strategy === NEVER_STRANDED) assert.equal(sum.stranded, 0);
      // A plan that hurts nobody would prove nothing.
      else assert.ok(sum.stranded > 0, 'the faults strand nobody: are they still drawn?');
    });
  }
});

describe('a seed', () => {
  it('gives the same events every time', async () => {
    for (const strategy of STRATEGY_NAMES) {
      for (const seed of [3, 58, 93]) {
        const once = await firstBoot({ strategy, seed });
        const again = await firstBoot({ strategy, seed });
        assert.equal(again.hash, once.hash, `${strategy}, seed ${seed}`);
        assert.equal(again.events, once.events);
      }
    }
  });

  it('gives other events than its neighbour', async () => {
    const one = await firstBoot({ strategy: NEVER_STRANDED, seed: 4 });
    const other = await firstBoot({ strategy: NEVER_STRANDED, seed: 5 });
    assert.notEqual(one.hash, other.hash);
  });

  it('gives the same events whether they are written down or not', async () => {
    const silent = await firstBoot({ strategy: NEVER_STRANDED, seed: 6 });
    const told = await firstBoot({ strategy: NEVER_STRANDED, seed: 6, keepsTrace: true });
    assert.equal(told.hash, silent.hash);
    assert.equal(told.trace.length, told.events);
  });
});

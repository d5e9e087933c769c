/** First boots in virtual time, of each strategy, and that a run depends only on its seed. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clockContract } from '../../contracts/clock.ts';
import { costlyRepetitions, someOf } from '../../repetitions.ts';
import { VirtualTime } from '../virtual-time.ts';
import { firstBoot } from './first-boot.ts';
import { testFirstBoots } from './first-boot-tests.ts';
import { NEVER_STRANDED, STRATEGY_NAMES } from './strategies.ts';

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

testFirstBoots(costlyRepetitions(150, 1));

describe('the seed of a first boot', () => {
  it('a seed gives the same events every time', async () => {
    for (const strategy of someOf(STRATEGY_NAMES, 1)) {
      for (const seed of someOf([3, 58, 93], 1)) {
        const first = await firstBoot({ strategy, seed });
        const second = await firstBoot({ strategy, seed });
        assert.equal(second.hash, first.hash, `${strategy}, seed ${seed}`);
        assert.equal(second.events, first.events);
      }
    }
  });

  it('two seeds give different events', async () => {
    const one = await firstBoot({ strategy: NEVER_STRANDED, seed: 4 });
    const other = await firstBoot({ strategy: NEVER_STRANDED, seed: 5 });
    assert.notEqual(one.hash, other.hash);
  });

  it('a seed gives the same events with and without a recorded trace', async () => {
    const unrecorded = await firstBoot({ strategy: NEVER_STRANDED, seed: 6 });
    const recorded = await firstBoot({ strategy: NEVER_STRANDED, seed: 6, keepsTrace: true });
    assert.equal(recorded.hash, unrecorded.hash);
    assert.equal(recorded.trace.length, recorded.events);
  });
});

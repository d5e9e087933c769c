/** Validation of knobs, and the seeded random source. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultKnobs, KnobError, updateKnobs } from '../../../src/sandbox/core/knobs.ts';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { openQuickCore } from '../helpers/quick-core.ts';

const INVALID: readonly (readonly [patch: unknown, expected: RegExp])[] = [
  [{ lossIn: 1.1 }, /^lossIn: 1\.1 is not a share from 0 to 1$/],
  [{ lossOut: '0.5' }, /^lossOut: "0\.5" is not/],
  [{ coreLatencyMaxMs: -1 }, /^coreLatencyMaxMs: -1 is not a number of milliseconds from 0 to/],
  [{ coreLatencyMinMs: 100 }, /^coreLatencyMinMs: 100 is more than coreLatencyMaxMs, which is 50$/],
  [{ coreLatencyMinMs: Number.NaN }, /coreLatencyMinMs/],
  [{ seed: 1.5 }, /^seed: 1\.5 is not an integer from 0 to/],
  [{ kindA: 'both' }, /^kindA: "both" is not one of separate, piggyback$/],
  [{ strategy: 'none' }, /^strategy: "none" is not one of create, pre-provisioned, disabled, chain$/],
  [{ silent: 1 }, /^silent: 1 is not true or false$/],
  [{ transportType: 'coap' }, /^transportType: "coap" is not one of DEFAULT/],
  [{ speed: 1 }, /^speed: there is no such knob; the knobs are coreLatencyMinMs,/],
  [{ toString: 1 }, /^toString: there is no such knob/],
  [null, /not an object/],
  [[], /not an object/],
];

describe('updateKnobs', () => {
  for (const [patch, expected] of INVALID) {
    it(`rejects ${JSON.stringify(patch)} with the reason`, () => {
      const knobs = defaultKnobs();
      const [problem, ...others] = updateKnobs(knobs, patch);
      assert.match(problem ?? '', expected);
      assert.deepEqual(others, []);
      assert.deepEqual(knobs, defaultKnobs());
    });
  }

  it('applies a whole patch', () => {
    const knobs = defaultKnobs();
    assert.deepEqual(updateKnobs(knobs, { coreLatencyMinMs: 600, coreLatencyMaxMs: 700, silent: true }), []);
    assert.deepEqual(knobs, {
      ...defaultKnobs(),
      coreLatencyMinMs: 600,
      coreLatencyMaxMs: 700,
      silent: true,
    });
  });

  it('applies nothing of a patch with one invalid knob and lists all problems', () => {
    const knobs = defaultKnobs();
    assert.equal(updateKnobs(knobs, { silent: true, lossIn: 2, seed: -1 }).length, 2);
    assert.deepEqual(knobs, defaultKnobs());
  });

  it('changes the same knobs object', () => {
    const core = openQuickCore();
    const { knobs } = core;
    core.admin.updateKnobs({ dead: true });
    assert.equal(knobs.dead, true);
  });

  it('a core with an invalid knob does not open', () => {
    assert.throws(() => openQuickCore({ knobs: { lossIn: 7 } }), KnobError);
  });
});

describe('createRandom', () => {
  it('the same seed gives the same sequence, the next seed another one', () => {
    const throws = (seed: number): readonly number[] => Array.from({ length: 50 }, createRandom(seed));
    assert.deepEqual(throws(7), throws(7));
    assert.notDeepEqual(throws(7), throws(8));
  });

  it('numbers are in [0, 1) and uniform, also for neighbouring seeds', () => {
    const firsts = Array.from({ length: 10_000 }, (_, seed) => createRandom(seed)());
    assert.ok(firsts.every((value) => value >= 0 && value < 1));
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length;
    assert.ok(Math.abs(mean - 0.5) < 0.02, String(mean));
  });
});

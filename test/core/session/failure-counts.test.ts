/** Back-off belongs to its reason: random sequences of failures, and the same sequence without the other reasons. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import type { FailureReason } from '../../../src/core/failures/failure.ts';
import { FAILURE_POLICIES } from '../../../src/core/failures/policies.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { nextState, stateWithToken } from '../../../src/core/session/machine.ts';
import type { SessionState } from '../../../src/core/session/state.ts';
import { FAILURE_REASONS } from '../../doubles/failures.ts';

interface Outcome {
  readonly reason: FailureReason;
  readonly random: number;
}

/** The wait after each outcome, ms. */
function waitsAfter(outcomes: readonly Outcome[]): readonly number[] {
  let state: SessionState = stateWithToken('gw-1', new Secret('TOKEN'));
  let monotonicMs = 0;
  return outcomes.map(({ reason, random }) => {
    const failed = nextState(
      state,
      { type: 'failed', failure: { reason, detail: '' } },
      { monotonicMs, random },
    );
    if (failed.at !== 'wait') throw new Error(`the session is in ${failed.at}`);
    monotonicMs += failed.forMs;
    state = nextState(failed, { type: 'wait-over' }, { monotonicMs, random });
    return failed.forMs;
  });
}

const outcome = fc.record({
  reason: fc.constantFrom(...FAILURE_REASONS),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
const SEQUENCES = fc.array(outcome, { maxLength: 60 });

it('the wait for a reason is the same without all other reasons, and within its cap', () => {
  const check = (outcomes: readonly Outcome[]) => {
    const waits = waitsAfter(outcomes);
    for (const reason of new Set(outcomes.map((each) => each.reason))) {
      const ofReason = waits.filter((_, index) => outcomes[index]?.reason === reason);
      assert.deepEqual(ofReason, waitsAfter(outcomes.filter((each) => each.reason === reason)), reason);
      assert.ok(Math.max(...ofReason) <= FAILURE_POLICIES[reason].schedule.capMs, reason);
    }
  };
  fc.assert(fc.property(SEQUENCES, check), { seed: 20_261_130, numRuns: 500 });
});

it('no failure is tried again later than after ten minutes', () => {
  for (const reason of FAILURE_REASONS)
    assert.ok(FAILURE_POLICIES[reason].schedule.capMs <= 10 * 60_000, reason);
});

it('six tries at a closed port do not lengthen the wait for an unknown provisioning key', () => {
  const closed = Array.from({ length: 6 }, () => ({ reason: 'port-closed', random: 0.999 }) as const);
  const [first] = waitsAfter([...closed, { reason: 'provisioning-key-unknown', random: 0.999 }]).slice(-1);
  assert.ok(first !== undefined && first <= FAILURE_POLICIES['provisioning-key-unknown'].schedule.baseMs);
});

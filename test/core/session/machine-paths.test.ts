/**
 * Invariants of every path of the session over random walks, whatever the server, the disk and the random
 * numbers do. The seed is fixed; fast-check prints it with the shortest walk that breaks an invariant.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { countFailure, type FailureCounts, WAIT_MIN_MS } from '../../../src/core/failures/backoff.ts';
import { FAILURE_POLICIES } from '../../../src/core/failures/policies.ts';
import { HEALTHY_MS, RETRY_SAVE_MS } from '../../../src/core/session/machine.ts';
import type { SessionState } from '../../../src/core/session/state.ts';
import { repetitions } from '../../repetitions.ts';
import { CONFIGURED, type WalkStep, walks } from './random-walk.ts';

const RUNS = { seed: 20_261_121, numRuns: repetitions(1_000, 400) };

function forEveryWalk(title: string, check: (walkSteps: readonly WalkStep[]) => void): void {
  it(title, () => fc.assert(fc.property(walks, check), RUNS));
}

const isEmpty = (counts: FailureCounts) => Object.keys(counts).length === 0;

/** The requests of a walk: each step whose action was to provision. */
const requests = (walkSteps: readonly WalkStep[]) =>
  walkSteps.flatMap(({ before }) => (before.at === 'provision' ? [before] : []));

it('the random walks reach every state and every transition', () => {
  const transitions = new Set<string>();
  const record = (walkSteps: readonly WalkStep[]) => {
    for (const { before, event, after } of walkSteps)
      transitions.add(`${before.at} ${event.type} ${after.at}`);
  };
  fc.assert(fc.property(walks, record), RUNS);
  const failed = ['load', 'record-intent', 'provision', 'verify-token', 'deliver'].map(
    (at) => `${at} failed wait`,
  );
  const declined = [
    'provision failed verify-token',
    'verify-token token-verified wait',
    'wait wait-over verify-token',
  ];
  const unsaved = ['save failed deliver', 'provision token-unsaved deliver', 'deliver delivered save'];
  const renamed = [
    'load loaded record-intent',
    'load loaded verify-token',
    'verify-token token-verified record-intent',
  ];
  const others = ['save saved deliver', 'deliver progressed deliver'];
  for (const transition of [...failed, ...declined, ...unsaved, ...renamed, ...others]) {
    assert.ok(transitions.has(transition), transition);
  }
});

forEveryWalk('after a proposal was sent, no other name and no other token is sent', (walkSteps) => {
  const [first, ...later] = requests(walkSteps);
  for (const { identity } of later) {
    assert.equal(identity.deviceName, first?.identity.deviceName);
    assert.equal(identity.token?.reveal(), first?.identity.token?.reveal());
  }
});

forEveryWalk(
  'a second request with a proposed token directly follows its failed verification',
  (walkSteps) => {
    let sent = false;
    for (const [index, { before }] of walkSteps.entries()) {
      if (before.at !== 'provision' || !before.identity.token) continue;
      const asked = walkSteps[index - 1];
      if (sent) assert.deepEqual(asked?.event, { type: 'token-verified', accepted: false });
      sent = true;
    }
  },
);

forEveryWalk('a request follows a stored intent and is never the first step', (walkSteps) => {
  for (const { before, event, after } of walkSteps) {
    if (after.at !== 'provision' || before.at === 'wait') continue;
    const pending = event.type === 'loaded' && event.record?.state === 'pending';
    assert.ok(event.type === 'intent-recorded' || event.type === 'token-verified' || pending, event.type);
  }
});

forEveryWalk('a request always has the configured name', (walkSteps) => {
  for (const { identity } of requests(walkSteps)) assert.equal(identity.deviceName, CONFIGURED);
});

forEveryWalk('a stored proposal keeps its token, even if the name changes', (walkSteps) => {
  const record = walkSteps.flatMap(({ event }) => (event.type === 'loaded' ? [event.record] : [])).at(0);
  if (record?.state !== 'pending' || !record.token) return;
  for (const { identity } of requests(walkSteps))
    assert.equal(identity.token?.reveal(), record.token.reveal());
});

forEveryWalk('an unsaved token is stored again later and kept until it is stored', (walkSteps) => {
  for (const { before, event, after, monotonicMs } of walkSteps) {
    const failed = event.type === 'token-unsaved' || (before.at === 'save' && event.type === 'failed');
    const { retrySaveAtMs } = before;
    if (failed) assert.equal(after.retrySaveAtMs, monotonicMs + RETRY_SAVE_MS);
    else if (retrySaveAtMs === undefined) assert.equal(after.retrySaveAtMs, undefined);
    else if (after.at === 'save') assert.ok(event.type === 'delivered' && monotonicMs >= retrySaveAtMs);
    else assert.equal(after.retrySaveAtMs, retrySaveAtMs);
  }
});

forEveryWalk('a wait depends only on how often its own reason has failed, up to its cap', (walkSteps) => {
  const failures = new Map<string, number>();
  for (const { before, event, after } of walkSteps) {
    if (event.type === 'delivered' && isEmpty(after.failureCounts)) failures.clear();
    if (after.at !== 'wait' || before.at === 'wait') continue;
    const { reason } = after.failure;
    failures.set(reason, (failures.get(reason) ?? 0) + 1);
    const { baseMs, capMs } = FAILURE_POLICIES[reason].schedule;
    const ceilingMs = Math.min(capMs, baseMs * 2 ** ((failures.get(reason) ?? 0) - 1));
    assert.ok(after.forMs >= WAIT_MIN_MS && after.forMs <= ceilingMs, `${after.forMs} of ${ceilingMs}`);
  }
});

forEveryWalk('a wait counts one failure of its reason; counts fall only to zero, together', (walkSteps) => {
  for (const { before, event, after } of walkSteps) {
    if (event.type === 'delivered' && isEmpty(after.failureCounts)) continue;
    const expected =
      after.at === 'wait' ? countFailure(before.failureCounts, after.failure.reason) : before.failureCounts;
    assert.deepEqual(after.failureCounts, expected);
  }
});

forEveryWalk(
  'the failure counts are reset only after five healthy minutes with a stored token',
  (walkSteps) => {
    let healthySinceMs: number | undefined;
    for (const { before, event, after, monotonicMs } of walkSteps) {
      const counts = event.type === 'delivered' && before.retrySaveAtMs === undefined;
      if (event.type !== 'progressed') healthySinceMs = counts ? (healthySinceMs ?? monotonicMs) : undefined;
      else assert.deepEqual(after, before);
      if (isEmpty(before.failureCounts)) continue;
      const healthyMs = healthySinceMs === undefined ? 0 : monotonicMs - healthySinceMs;
      assert.equal(isEmpty(after.failureCounts), counts && healthyMs >= HEALTHY_MS, `${healthyMs} ms`);
    }
  },
);

forEveryWalk('a failure is followed by a wait or by one verification of a declined token', (walkSteps) => {
  for (const { before, event, after } of walkSteps) {
    if (event.type !== 'failed' || after.at === 'wait') continue;
    if (before.at === 'save' && after.at === 'deliver') continue; // refused by the disk
    assert.equal(event.failure.reason, 'provisioning-declined');
    assert.equal(after.at === 'verify-token' && after.nameDeclined, true);
  }
});

forEveryWalk('a delivering gateway keeps its token while it runs', (walkSteps) => {
  const delivering = walkSteps
    .map(({ after }) => after)
    .filter((state): state is SessionState & { at: 'deliver' } => state.at === 'deliver');
  const tokens = new Set(delivering.map(({ identity }) => identity.token.reveal()));
  assert.ok(tokens.size <= 1, [...tokens].join(', '));
});

forEveryWalk('the step after a wait has no counters and no wait of its own', (walkSteps) => {
  for (const { after } of walkSteps) {
    if (after.at !== 'wait') continue;
    assert.deepEqual(
      Object.keys(after.resumeAt).filter(
        (key) => !['at', 'identity', 'nameDeclined', 'proposed'].includes(key),
      ),
      [],
    );
  }
});

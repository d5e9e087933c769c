/**
 * What holds on every path of the session, whatever the server, the disk and the die do: invariants over
 * random walks.
 *
 * The walks are of a fixed seed; fast-check prints it with the shortest walk that breaks a claim.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { WAIT_MIN_MS } from '../../../src/core/failures/backoff.ts';
import { VERDICTS } from '../../../src/core/failures/policies.ts';
import { HEALTHY_MS, SAVE_AGAIN_MS } from '../../../src/core/session/machine.ts';
import type { State } from '../../../src/core/session/state.ts';
import { CONFIGURED, type Leg, walks } from './random-walk.ts';

const RUNS = { seed: 20_261_121, numRuns: 1_000 };

function onEveryWalk(claim: string, check: (legs: readonly Leg[]) => void): void {
  it(claim, () => fc.assert(fc.property(walks, check), RUNS));
}

/** The requests of a walk: each leg whose action was to provision. */
const requests = (legs: readonly Leg[]) =>
  legs.flatMap(({ before }) => (before.at === 'provision' ? [before] : []));

it('the walks reach every state and every way out of it', () => {
  const seen = new Set<string>();
  const note = (legs: readonly Leg[]) => {
    for (const { before, event, after } of legs) seen.add(`${before.at} ${event.type} ${after.at}`);
  };
  fc.assert(fc.property(walks, note), RUNS);
  const refused = ['remember', 'intend', 'provision', 'probe', 'deliver'].map((at) => `${at} refused wait`);
  const declined = ['provision refused probe', 'probe probed wait', 'wait elapsed probe'];
  const unsaved = ['adopt refused deliver', 'provision unkept deliver', 'deliver delivered adopt'];
  const renamed = ['remember remembered intend', 'remember remembered probe', 'probe probed intend'];
  const others = ['adopt adopted deliver', 'deliver stepped deliver'];
  for (const way of [...refused, ...declined, ...unsaved, ...renamed, ...others]) {
    assert.ok(seen.has(way), way);
  }
});

onEveryWalk('once a claim has been sent, no other name and no other token is ever sent', (legs) => {
  const [first, ...later] = requests(legs);
  for (const { claim } of later) {
    assert.equal(claim.deviceName, first?.claim.deviceName);
    assert.equal(claim.token?.reveal(), first?.claim.token?.reveal());
  }
});

onEveryWalk(
  'a second request with our token comes straight after the server said it does not know it',
  (legs) => {
    let sent = false;
    for (const [index, { before }] of legs.entries()) {
      if (before.at !== 'provision' || !before.claim.token) continue;
      const asked = legs[index - 1];
      if (sent) assert.deepEqual(asked?.event, { type: 'probed', ours: false });
      sent = true;
    }
  },
);

onEveryWalk('a request follows a stored intent: it is never the first thing after a start', (legs) => {
  for (const { before, event, after } of legs) {
    if (after.at !== 'provision' || before.at === 'wait') continue;
    const pending = event.type === 'remembered' && event.record?.state === 'pending';
    assert.ok(event.type === 'intended' || event.type === 'probed' || pending, event.type);
  }
});

onEveryWalk('a request is never for another name than the configured one', (legs) => {
  for (const { claim } of requests(legs)) assert.equal(claim.deviceName, CONFIGURED);
});

onEveryWalk('a stored proposal never gives way to another token, even when the name changes', (legs) => {
  const record = legs.flatMap(({ event }) => (event.type === 'remembered' ? [event.record] : [])).at(0);
  if (record?.state !== 'pending' || !record.token) return;
  for (const { claim } of requests(legs)) assert.equal(claim.token?.reveal(), record.token.reveal());
});

onEveryWalk('a token that cannot be stored is tried again a minute later, and kept until it is', (legs) => {
  for (const { before, event, after, monotonicMs } of legs) {
    const failed = event.type === 'unkept' || (before.at === 'adopt' && event.type === 'refused');
    const { saveAgainMs } = before;
    if (failed) assert.equal(after.saveAgainMs, monotonicMs + SAVE_AGAIN_MS);
    else if (saveAgainMs === undefined) assert.equal(after.saveAgainMs, undefined);
    else if (after.at === 'adopt') assert.ok(event.type === 'delivered' && monotonicMs >= saveAgainMs);
    else assert.equal(after.saveAgainMs, saveAgainMs);
  }
});

onEveryWalk('every wait lies between the floor and the ceiling of its verdict', (legs) => {
  for (const { after } of legs) {
    if (after.at !== 'wait') continue;
    const { baseMs, capMs } = VERDICTS[after.refusal.reason].schedule;
    const ceilingMs = Math.min(capMs, baseMs * 2 ** (after.troubles - 1));
    assert.ok(after.forMs >= WAIT_MIN_MS && after.forMs <= ceilingMs, `${after.forMs} of ${ceilingMs}`);
  }
});

onEveryWalk('troubles count up by one with each wait and go back only to none', (legs) => {
  for (const { before, event, after } of legs) {
    const entered = after.at === 'wait';
    const forgotten = event.type === 'delivered' && after.troubles === 0;
    if (!forgotten) assert.equal(after.troubles, before.troubles + (entered ? 1 : 0));
  }
});

onEveryWalk(
  'troubles are forgotten after five healthy minutes with the token on disk, and only then',
  (legs) => {
    let healthySinceMs: number | undefined;
    for (const { before, event, after, monotonicMs } of legs) {
      const counts = event.type === 'delivered' && before.saveAgainMs === undefined;
      if (event.type !== 'stepped') healthySinceMs = counts ? (healthySinceMs ?? monotonicMs) : undefined;
      else assert.deepEqual(after, before);
      if (before.troubles === 0) continue;
      const healthyMs = healthySinceMs === undefined ? 0 : monotonicMs - healthySinceMs;
      assert.equal(after.troubles === 0, counts && healthyMs >= HEALTHY_MS, `${healthyMs} ms`);
    }
  },
);

onEveryWalk(
  'no refusal of the server is followed by anything but a wait, or one question about a declined token',
  (legs) => {
    for (const { before, event, after } of legs) {
      if (event.type !== 'refused' || after.at === 'wait') continue;
      if (before.at === 'adopt' && after.at === 'deliver') continue; // refused by the disk
      assert.equal(event.refusal.reason, 'declined');
      assert.equal(after.at === 'probe' && after.declined, true);
    }
  },
);

onEveryWalk('a gateway that delivers keeps its token for as long as it runs', (legs) => {
  const delivering = legs
    .map(({ after }) => after)
    .filter((state): state is State & { at: 'deliver' } => state.at === 'deliver');
  const tokens = new Set(delivering.map(({ claim }) => claim.token.reveal()));
  assert.ok(tokens.size <= 1, [...tokens].join(', '));
});

onEveryWalk('what a wait leads back to carries no troubles, no health and no wait of its own', (legs) => {
  for (const { after } of legs) {
    if (after.at !== 'wait') continue;
    assert.deepEqual(
      Object.keys(after.resume).filter((key) => !['at', 'claim', 'declined', 'proposed'].includes(key)),
      [],
    );
  }
});

/**
 * An operator who changes the name while a provisioning is pending: the token that was proposed is asked about
 * first, so that it can never name two devices; and a gateway that had a device keeps its name.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import { next } from '../../../src/core/session/machine.ts';
import type { Claim, Event, State, Step } from '../../../src/core/session/state.ts';
import { refusalOf } from '../../doubles/failures.ts';
import { revealed } from '../../doubles/reveal-secrets.ts';

const TOKEN = new Secret('proposed-by-us');
const OLD_NAME = { deviceName: 'gw-old', token: TOKEN };
const NEW_NAME = { deviceName: 'gw-new', token: TOKEN };
const REVOKED = { ...OLD_NAME, previousToken: new Secret('worked-once') };
const NOT_OURS: Event = { type: 'probed', ours: false };
const OURS: Event = { type: 'probed', ours: true };
const PROBING: Step = { at: 'probe', claim: OLD_NAME, declined: false };

/** The state after `events`, for a gateway that is to be called gw-new. */
function after(from: Step, ...events: readonly Event[]): State {
  const context = { monotonicMs: 0, random: 0.5, deviceName: 'gw-new' };
  return events.reduce<State>((state, event) => next(state, event, context), { ...from, troubles: 0 });
}

function remembered(claim: Claim): State {
  const record: CredentialRecord = { state: 'pending', server: 'coap://tb', sinceMs: 5, ...claim };
  return after({ at: 'remember' }, { type: 'remembered', record });
}

function assertStep(actual: State, expected: Step): void {
  assert.deepEqual(revealed(actual), revealed({ ...expected, troubles: 0 }));
}

describe('session: a pending record of another name', () => {
  it('with a token of ours is asked about first, as it was proposed', () => {
    assertStep(remembered(OLD_NAME), PROBING);
  });

  it('that the server knows keeps the old name: the device exists', () => {
    assertStep(after(PROBING, OURS), { at: 'adopt', claim: OLD_NAME });
    assertStep(after(PROBING, OURS, { type: 'adopted' }), { at: 'deliver', claim: OLD_NAME });
  });

  it('that the server does not know is intended under the new name, with the same token', () => {
    assertStep(after(PROBING, NOT_OURS), { at: 'intend', proposed: TOKEN });
    const intended: Event = { type: 'intended', claim: NEW_NAME };
    assertStep(after(PROBING, NOT_OURS, intended), { at: 'provision', claim: NEW_NAME });
  });

  it('is given up after a declined request too: what was declined is the old name', () => {
    assertStep(after({ ...PROBING, declined: true }, NOT_OURS), { at: 'intend', proposed: TOKEN });
  });

  it('keeps its token when the intent cannot be stored: it is proposed after the wait', () => {
    const failed: Event = { type: 'refused', refusal: refusalOf('store-failed') };
    const again = after(PROBING, NOT_OURS, failed, { type: 'elapsed' });
    assert.deepEqual(revealed(again), revealed({ at: 'intend', proposed: TOKEN, troubles: 1 }));
  });

  it('without a token is intended anew: there is nothing to ask about', () => {
    assertStep(remembered({ deviceName: 'gw-old' }), { at: 'intend' });
  });

  it('with a token that worked once keeps the stored name on the whole way', () => {
    const { token: _, ...bare } = REVOKED;
    assertStep(remembered(REVOKED), { at: 'retry', claim: REVOKED });
    assertStep(remembered(bare), { at: 'retry', claim: bare });
    const probing: Step = { at: 'probe', claim: REVOKED, declined: false };
    assertStep(after({ at: 'retry', claim: REVOKED }, NOT_OURS), probing);
    assertStep(after(probing, NOT_OURS), { at: 'provision', claim: REVOKED });
    assertStep(after({ at: 'retry', claim: bare }, NOT_OURS), { at: 'provision', claim: bare });
  });
});

describe('session: a pending record of the configured name', () => {
  it('goes on as it was: asked about, then requested', () => {
    const probing: Step = { at: 'probe', claim: NEW_NAME, declined: false };
    assertStep(remembered(NEW_NAME), probing);
    assertStep(after(probing, NOT_OURS), { at: 'provision', claim: NEW_NAME });
    const bare = { deviceName: 'gw-new' };
    assertStep(remembered(bare), { at: 'provision', claim: bare });
  });
});

it('session: a provisioned gateway keeps the name it has, whatever it is to be called', () => {
  const record: CredentialRecord = { state: 'provisioned', server: 'coap://tb', sinceMs: 5, ...OLD_NAME };
  const delivering = after({ at: 'remember' }, { type: 'remembered', record });
  assertStep(delivering, { at: 'deliver', claim: OLD_NAME });
});

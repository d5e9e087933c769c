/**
 * A device name that changes while a provisioning is pending: the proposed token is verified first, so that
 * it never belongs to two devices. A gateway with a device keeps its name.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import { nextState } from '../../../src/core/session/machine.ts';
import type {
  DeviceIdentity,
  SessionEvent,
  SessionState,
  SessionStep,
} from '../../../src/core/session/state.ts';
import { failureOf } from '../../doubles/failures.ts';
import { revealSecrets } from '../../doubles/reveal-secrets.ts';

const TOKEN = new Secret('proposed-by-us');
const OLD_NAME = { deviceName: 'gw-old', token: TOKEN };
const NEW_NAME = { deviceName: 'gw-new', token: TOKEN };
const REVOKED = { ...OLD_NAME, previousToken: new Secret('worked-once') };
const TOKEN_REJECTED: SessionEvent = { type: 'token-verified', accepted: false };
const TOKEN_ACCEPTED: SessionEvent = { type: 'token-verified', accepted: true };
const PROBING: SessionStep = { at: 'verify-token', identity: OLD_NAME, nameDeclined: false };

/** The state after `events`, for a gateway that is to be called gw-new. */
function after(from: SessionStep, ...events: readonly SessionEvent[]): SessionState {
  const context = { monotonicMs: 0, random: 0.5, deviceName: 'gw-new' };
  return events.reduce<SessionState>((state, event) => nextState(state, event, context), {
    ...from,
    failureCounts: {},
  });
}

function remembered(identity: DeviceIdentity): SessionState {
  const record: CredentialRecord = { state: 'pending', server: 'coap://tb', sinceMs: 5, ...identity };
  return after({ at: 'load' }, { type: 'loaded', record });
}

function assertStep(actual: SessionState, expected: SessionStep): void {
  assert.deepEqual(revealSecrets(actual), revealSecrets({ ...expected, failureCounts: {} }));
}

describe('a pending record with another name', () => {
  it('a pending record with another name verifies its proposed token first', () => {
    assertStep(remembered(OLD_NAME), PROBING);
  });

  it('an accepted token keeps the old name, because the device exists', () => {
    assertStep(after(PROBING, TOKEN_ACCEPTED), { at: 'save', identity: OLD_NAME });
    assertStep(after(PROBING, TOKEN_ACCEPTED, { type: 'saved' }), { at: 'deliver', identity: OLD_NAME });
  });

  it('an unknown token is proposed again under the new name', () => {
    assertStep(after(PROBING, TOKEN_REJECTED), { at: 'record-intent', proposed: TOKEN });
    const intended: SessionEvent = { type: 'intent-recorded', identity: NEW_NAME };
    assertStep(after(PROBING, TOKEN_REJECTED, intended), { at: 'provision', identity: NEW_NAME });
  });

  it('the old name is dropped after a declined request', () => {
    assertStep(after({ ...PROBING, nameDeclined: true }, TOKEN_REJECTED), {
      at: 'record-intent',
      proposed: TOKEN,
    });
  });

  it('the token is proposed after the wait if the intent cannot be stored', () => {
    const failed: SessionEvent = { type: 'failed', failure: failureOf('credentials-storage-failed') };
    const again = after(PROBING, TOKEN_REJECTED, failed, { type: 'wait-over' });
    assert.deepEqual(
      revealSecrets(again),
      revealSecrets({
        at: 'record-intent',
        proposed: TOKEN,
        failureCounts: { 'credentials-storage-failed': 1 },
      }),
    );
  });

  it('a pending record without a token is replaced by a new intent', () => {
    assertStep(remembered({ deviceName: 'gw-old' }), { at: 'record-intent' });
  });

  it('a pending record with a previous token keeps the stored name', () => {
    const { token: _, ...withoutMemory } = REVOKED;
    assertStep(remembered(REVOKED), { at: 'verify-previous-token', identity: REVOKED });
    assertStep(remembered(withoutMemory), { at: 'verify-previous-token', identity: withoutMemory });
    const probing: SessionStep = { at: 'verify-token', identity: REVOKED, nameDeclined: false };
    assertStep(after({ at: 'verify-previous-token', identity: REVOKED }, TOKEN_REJECTED), probing);
    assertStep(after(probing, TOKEN_REJECTED), { at: 'provision', identity: REVOKED });
    assertStep(after({ at: 'verify-previous-token', identity: withoutMemory }, TOKEN_REJECTED), {
      at: 'provision',
      identity: withoutMemory,
    });
  });
});

describe('a pending record with the configured name', () => {
  it('a pending record with the configured name is verified, then requested', () => {
    const probing: SessionStep = { at: 'verify-token', identity: NEW_NAME, nameDeclined: false };
    assertStep(remembered(NEW_NAME), probing);
    assertStep(after(probing, TOKEN_REJECTED), { at: 'provision', identity: NEW_NAME });
    const withoutMemory = { deviceName: 'gw-new' };
    assertStep(remembered(withoutMemory), { at: 'provision', identity: withoutMemory });
  });
});

it('a provisioned gateway keeps its name if the configured name changes', () => {
  const record: CredentialRecord = { state: 'provisioned', server: 'coap://tb', sinceMs: 5, ...OLD_NAME };
  const delivering = after({ at: 'load' }, { type: 'loaded', record });
  assertStep(delivering, { at: 'deliver', identity: OLD_NAME });
});

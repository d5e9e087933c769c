/**
 * What each state does, in which order: nothing is asked of the server before the intent is on disk, or when
 * it cannot be.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { type ProvisioningSettings, runAction } from '../../../src/core/session/actions.ts';
import { INITIAL_STATE, nextState, RETRY_SAVE_MS } from '../../../src/core/session/machine.ts';
import type { SessionEvent, SessionState, SessionStep } from '../../../src/core/session/state.ts';
import { StoreError } from '../../../src/credentials/store-error.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { MemoryCredentialStore } from '../../doubles/memory-credential-store.ts';
import { revealed } from '../../doubles/reveal-secrets.ts';
import { type Script, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { DeliveryHarness, timesIn } from '../delivery/delivery-harness.ts';

const PAIR = { key: 'pk1', secret: new Secret('ps1'), deviceGenerated: true };
const SETTINGS: ProvisioningSettings = { server: 'coap://tb', deviceName: 'gw-1', spreadMs: 0, pair: PAIR };
const OURS = { deviceName: 'gw-1', token: new Secret('minted-1') };
const WALL_MS = Date.UTC(2026, 0, 1);
const FULL = new StoreError('the credential file /x cannot be written: the disk is full; free some space');

class ActionHarness {
  readonly journal: string[] = [];
  readonly store = new MemoryCredentialStore(undefined, this.journal);
  readonly random = new FixedRandom(0.5);
  readonly transport: ScriptedTransport;
  readonly harness = new DeliveryHarness();
  readonly clock = this.harness.clock;
  settings = SETTINGS;

  constructor(script?: Script) {
    this.transport = new ScriptedTransport(script, this.journal);
  }

  act(step: SessionStep): Promise<SessionEvent> {
    return runAction(step, this, this.settings, this.harness.delivery, this.harness.stop.signal);
  }
}

describe('the first boot of a gateway', () => {
  it('a first boot stores its intent before the request and the token before its use', async () => {
    const fixture = new ActionHarness();
    let state: SessionState = INITIAL_STATE;
    while (state.at !== 'deliver') {
      const event = await fixture.act(state);
      state = nextState(state, event, { monotonicMs: 0, random: 0 });
      fixture.journal.push(event.type);
    }
    assert.deepEqual(fixture.journal, [
      'store read',
      'loaded',
      'store write pending',
      'intent-recorded',
      'transport provision',
      'store write provisioned',
      'token-issued',
    ]);
    assert.equal(state.identity.token.reveal(), 'minted-1');
  });
});

describe('record-intent', () => {
  it('record-intent stores a new token with the name, the server and the time', async () => {
    const fixture = new ActionHarness();
    const event = await fixture.act({ at: 'record-intent' });
    assert.deepEqual(revealed(event), { type: 'intent-recorded', identity: revealed(OURS) });
    const stored = { state: 'pending', server: 'coap://tb', sinceMs: WALL_MS, ...OURS };
    assert.deepEqual(revealed(fixture.store.record), revealed(stored));
  });

  it('record-intent creates no token in server-generated mode', async () => {
    const fixture = new ActionHarness();
    fixture.settings = { ...SETTINGS, pair: { ...PAIR, deviceGenerated: false } };
    const event = await fixture.act({ at: 'record-intent' });
    assert.deepEqual(event, { type: 'intent-recorded', identity: { deviceName: 'gw-1' } });
    assert.equal(fixture.random.minted, 0);
    assert.ok(fixture.store.record && !('token' in fixture.store.record));
  });

  it('record-intent proposes an earlier token under the configured name', async () => {
    for (const deviceGenerated of [true, false]) {
      const fixture = new ActionHarness();
      fixture.settings = { ...SETTINGS, deviceName: 'gw-2', pair: { ...PAIR, deviceGenerated } };
      const identity = { deviceName: 'gw-2', token: OURS.token };
      const event = await fixture.act({ at: 'record-intent', proposed: OURS.token });
      assert.deepEqual(revealed(event), revealed({ type: 'intent-recorded', identity: identity }));
      const stored = { state: 'pending', server: 'coap://tb', sinceMs: WALL_MS, ...identity };
      assert.deepEqual(revealed(fixture.store.record), revealed(stored));
      assert.equal(fixture.random.minted, 0);
    }
  });
});

describe('provision', () => {
  it('provision sends name, key, secret and the proposed token', async () => {
    const fixture = new ActionHarness();
    await fixture.act({ at: 'provision', identity: OURS });
    const [call] = fixture.transport.calls;
    const request = { deviceName: 'gw-1', key: 'pk1', secret: PAIR.secret, token: OURS.token };
    assert.deepEqual(revealed(call), revealed({ verb: 'provision', request }));
  });

  it('provision stores the issued token, not the proposed one', async () => {
    const fixture = new ActionHarness();
    await fixture.act({ at: 'provision', identity: { deviceName: 'gw-1' } });
    const stored = { state: 'provisioned', server: 'coap://tb', deviceName: 'gw-1', sinceMs: WALL_MS };
    assert.deepEqual(revealed(fixture.store.record), { ...stored, token: 'revealed issued-by-the-server' });
  });

  it('a failed provision stores nothing and returns the failure', async () => {
    const fixture = new ActionHarness(() => 'provisioning-key-unknown');
    const event = await fixture.act({ at: 'provision', identity: OURS });
    assert.equal(event.type === 'failed' && event.failure.reason, 'provisioning-key-unknown');
    assert.deepEqual(fixture.journal, ['transport provision']);
  });

  it('provision without key and secret fails and sends and stores nothing', async () => {
    const fixture = new ActionHarness();
    const { pair: _, ...bare } = SETTINGS;
    fixture.settings = bare;
    const event = await fixture.act({ at: 'provision', identity: OURS });
    assert.equal(event.type === 'failed' && event.failure.reason, 'provisioning-key-missing');
    assert.deepEqual(fixture.journal, []);
  });
});

describe('verify-token and save', () => {
  const probe: SessionStep = { at: 'verify-token', identity: OURS, nameDeclined: false };

  it('verify-token returns whether the server accepts the token', async () => {
    const fixture = new ActionHarness(
      (_, index) => (['ok', 'not-ours', 'server-timeout'] as const)[index] ?? 'ok',
    );
    assert.deepEqual(await fixture.act(probe), { type: 'token-verified', accepted: true });
    assert.deepEqual(await fixture.act(probe), { type: 'token-verified', accepted: false });
    const failed = await fixture.act(probe);
    assert.equal(failed.type === 'failed' && failed.failure.reason, 'server-timeout');
    assert.deepEqual(revealed(fixture.transport.calls[0]), { verb: 'probe', token: 'revealed minted-1' });
  });

  it('save stores the verified token without a request', async () => {
    const fixture = new ActionHarness();
    assert.deepEqual(await fixture.act({ at: 'save', identity: OURS }), { type: 'saved' });
    assert.deepEqual(fixture.journal, ['store write provisioned']);
    assert.equal(fixture.store.record?.token, OURS.token);
    assert.equal(fixture.store.record?.deviceName, 'gw-1');
  });
});

describe('a store that fails', () => {
  const steps: SessionStep[] = [{ at: 'load' }, { at: 'record-intent' }, { at: 'save', identity: OURS }];
  for (const step of steps) {
    it(`a StoreError in ${step.at} is a failure with its message, and nothing is sent`, async () => {
      const fixture = new ActionHarness();
      fixture.store.broken = FULL;
      const failure = { reason: 'credentials-storage-failed', detail: FULL.message };
      assert.deepEqual(await fixture.act(step), { type: 'failed', failure: failure });
      assert.deepEqual(fixture.transport.calls, []);
    });
  }

  it('a StoreError about the files has its own failure reason', async () => {
    for (const [code, reason] of [
      ['CREDENTIALS_DAMAGED', 'credentials-unreadable'],
      ['CREDENTIALS_NEWER', 'credentials-newer'],
    ] as const) {
      const fixture = new ActionHarness();
      fixture.store.broken = new StoreError('as it says', { code });
      const failure = { reason, detail: 'as it says' };
      assert.deepEqual(await fixture.act({ at: 'load' }), { type: 'failed', failure: failure });
    }
  });

  it('an error of the store that is no StoreError rejects', async () => {
    for (const bug of [new TypeError('x is not a function'), new RangeError('StoreError')]) {
      const fixture = new ActionHarness();
      fixture.store.broken = bug;
      await assert.rejects(fixture.act({ at: 'load' }), (error) => error === bug);
    }
  });
});

it('wait sleeps for the time of the state', async () => {
  const fixture = new ActionHarness();
  const failure = { reason: 'server-timeout', detail: 'seen' } as const;
  const elapsed = fixture.act({ at: 'wait', forMs: 1_234, failure, resumeAt: { at: 'record-intent' } });
  await fixture.clock.advance(1_233);
  assert.equal(fixture.clock.sleeping, 1);
  await fixture.clock.advance(1);
  assert.deepEqual(await elapsed, { type: 'wait-over' });
});

it('deliver runs one step of the delivery with the token', async () => {
  const fixture = new ActionHarness();
  fixture.harness.append(1);
  assert.deepEqual(await fixture.act({ at: 'deliver', identity: OURS }), { type: 'delivered' });
  const [call] = fixture.harness.transport.calls;
  assert.ok(call?.verb === 'postTelemetry' && call.token === OURS.token);
});

describe('an issued token that cannot be stored', () => {
  it('an unsaved token is used for delivery and stored later without a new request', async () => {
    const fixture = new ActionHarness();
    const identity = { deviceName: 'gw-1' };
    fixture.store.broken = FULL;
    const tokenUnsaved = await fixture.act({ at: 'provision', identity });
    assert.equal(tokenUnsaved.type === 'token-unsaved' && tokenUnsaved.failure.detail, FULL.message);
    const delivering = nextState({ at: 'provision', identity, consecutiveFailures: 0 }, tokenUnsaved, {
      monotonicMs: 0,
      random: 0,
    });
    fixture.harness.append(1);
    const delivered = await fixture.act(delivering);
    assert.deepEqual(fixture.harness.transport.telemetry.flatMap(timesIn), [1]);
    fixture.store.broken = undefined;
    const saving = nextState(delivering, delivered, { monotonicMs: RETRY_SAVE_MS, random: 0 });
    assert.equal((await fixture.act(saving)).type, 'saved');
    assert.equal(fixture.store.record?.token?.reveal(), 'issued-by-the-server');
    assert.equal(fixture.transport.calls.length, 1);
  });
});

/** The action of each state and its order: no request is sent before the intent is stored. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Failure } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { Network } from '../../../src/core/ports/network.ts';
import type { ProvisioningSettings } from '../../../src/core/session/action-ports.ts';
import { runAction } from '../../../src/core/session/actions.ts';
import { INITIAL_STATE, nextState, RETRY_SAVE_MS } from '../../../src/core/session/machine.ts';
import type { SessionEvent, SessionState, SessionStep } from '../../../src/core/session/state.ts';
import { StoreError } from '../../../src/credentials/store-error.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { MemoryCredentialStore } from '../../doubles/memory-credential-store.ts';
import { revealSecrets } from '../../doubles/reveal-secrets.ts';
import { type Script, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { DeliveryHarness, timesIn } from '../delivery/delivery-harness.ts';

const PAIR = { key: 'pk1', secret: new Secret('ps1'), deviceGenerated: true };
const SETTINGS: ProvisioningSettings = { server: 'coap://tb', deviceName: 'gw-1', spreadMs: 0, pair: PAIR };
const PROPOSED = { deviceName: 'gw-1', token: new Secret('minted-1') };
const WALL_MS = Date.UTC(2026, 0, 1);
const FULL = new StoreError('the credential file /x cannot be written: the disk is full; free some space');

class ActionHarness {
  readonly calls: string[] = [];
  readonly store = new MemoryCredentialStore(undefined, this.calls);
  readonly random = new FixedRandom(0.5);
  readonly transport: ScriptedTransport;
  readonly deliveryHarness = new DeliveryHarness();
  readonly clock = this.deliveryHarness.clock;
  settings = SETTINGS;
  network: Network | undefined;

  constructor(script?: Script) {
    this.transport = new ScriptedTransport(script, this.calls);
  }

  run(step: SessionStep): Promise<SessionEvent> {
    return runAction(
      step,
      this,
      this.settings,
      this.deliveryHarness.delivery,
      this.deliveryHarness.stop.signal,
    );
  }
}

describe('the first boot of a gateway', () => {
  it('a first boot stores its intent before the request and the token before its use', async () => {
    const harness = new ActionHarness();
    let state: SessionState = INITIAL_STATE;
    while (state.at !== 'deliver') {
      const event = await harness.run(state);
      state = nextState(state, event, { monotonicMs: 0, random: 0 });
      harness.calls.push(event.type);
    }
    assert.deepEqual(harness.calls, [
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
    const harness = new ActionHarness();
    const event = await harness.run({ at: 'record-intent' });
    assert.deepEqual(revealSecrets(event), { type: 'intent-recorded', identity: revealSecrets(PROPOSED) });
    const stored = { state: 'pending', server: 'coap://tb', sinceMs: WALL_MS, ...PROPOSED };
    assert.deepEqual(revealSecrets(harness.store.record), revealSecrets(stored));
  });

  it('record-intent creates no token in server-generated mode', async () => {
    const harness = new ActionHarness();
    harness.settings = { ...SETTINGS, pair: { ...PAIR, deviceGenerated: false } };
    const event = await harness.run({ at: 'record-intent' });
    assert.deepEqual(event, { type: 'intent-recorded', identity: { deviceName: 'gw-1' } });
    assert.equal(harness.random.minted, 0);
    assert.ok(harness.store.record && !('token' in harness.store.record));
  });

  it('record-intent proposes an earlier token under the configured name', async () => {
    for (const deviceGenerated of [true, false]) {
      const harness = new ActionHarness();
      harness.settings = { ...SETTINGS, deviceName: 'gw-2', pair: { ...PAIR, deviceGenerated } };
      const identity = { deviceName: 'gw-2', token: PROPOSED.token };
      const event = await harness.run({ at: 'record-intent', proposed: PROPOSED.token });
      assert.deepEqual(revealSecrets(event), revealSecrets({ type: 'intent-recorded', identity }));
      const stored = { state: 'pending', server: 'coap://tb', sinceMs: WALL_MS, ...identity };
      assert.deepEqual(revealSecrets(harness.store.record), revealSecrets(stored));
      assert.equal(harness.random.minted, 0);
    }
  });
});

describe('provision', () => {
  it('provision sends name, key, secret and the proposed token', async () => {
    const harness = new ActionHarness();
    await harness.run({ at: 'provision', identity: PROPOSED });
    const [call] = harness.transport.calls;
    const request = { deviceName: 'gw-1', key: 'pk1', secret: PAIR.secret, token: PROPOSED.token };
    assert.deepEqual(revealSecrets(call), revealSecrets({ verb: 'provision', request }));
  });

  it('provision stores the issued token, not the proposed one', async () => {
    const harness = new ActionHarness();
    await harness.run({ at: 'provision', identity: { deviceName: 'gw-1' } });
    const stored = { state: 'provisioned', server: 'coap://tb', deviceName: 'gw-1', sinceMs: WALL_MS };
    assert.deepEqual(revealSecrets(harness.store.record), {
      ...stored,
      token: 'revealed issued-by-the-server',
    });
  });

  it('a failed provision stores nothing and returns the failure', async () => {
    const harness = new ActionHarness(() => 'provisioning-key-unknown');
    const event = await harness.run({ at: 'provision', identity: PROPOSED });
    assert.equal(event.type === 'failed' && event.failure.reason, 'provisioning-key-unknown');
    assert.deepEqual(harness.calls, ['transport provision']);
  });

  it('provision without key and secret fails and sends and stores nothing', async () => {
    const harness = new ActionHarness();
    const { pair: _, ...bare } = SETTINGS;
    harness.settings = bare;
    const event = await harness.run({ at: 'provision', identity: PROPOSED });
    assert.equal(event.type === 'failed' && event.failure.reason, 'provisioning-key-missing');
    assert.deepEqual(harness.calls, []);
  });
});

describe('verify-token and save', () => {
  const probe: SessionStep = { at: 'verify-token', identity: PROPOSED, nameDeclined: false };

  it('verify-token returns whether the server accepts the token', async () => {
    const harness = new ActionHarness(
      (_, index) => (['ok', 'not-ours', 'server-timeout'] as const)[index] ?? 'ok',
    );
    assert.deepEqual(await harness.run(probe), { type: 'token-verified', accepted: true });
    assert.deepEqual(await harness.run(probe), { type: 'token-verified', accepted: false });
    const failed = await harness.run(probe);
    assert.equal(failed.type === 'failed' && failed.failure.reason, 'server-timeout');
    assert.deepEqual(revealSecrets(harness.transport.calls[0]), {
      verb: 'probe',
      token: 'revealed minted-1',
    });
  });

  it('save stores the verified token without a request', async () => {
    const harness = new ActionHarness();
    assert.deepEqual(await harness.run({ at: 'save', identity: PROPOSED }), { type: 'saved' });
    assert.deepEqual(harness.calls, ['store write provisioned']);
    assert.equal(harness.store.record?.token, PROPOSED.token);
    assert.equal(harness.store.record?.deviceName, 'gw-1');
  });
});

describe('a store that fails', () => {
  const steps: SessionStep[] = [{ at: 'load' }, { at: 'record-intent' }, { at: 'save', identity: PROPOSED }];
  for (const step of steps) {
    it(`a StoreError in ${step.at} is a failure with its message, and nothing is sent`, async () => {
      const harness = new ActionHarness();
      harness.store.broken = FULL;
      const failure = { reason: 'credentials-storage-failed', detail: FULL.message };
      assert.deepEqual(await harness.run(step), { type: 'failed', failure });
      assert.deepEqual(harness.transport.calls, []);
    });
  }

  it('a StoreError about the files has its own failure reason', async () => {
    for (const [code, reason] of [
      ['CREDENTIALS_DAMAGED', 'credentials-unreadable'],
      ['CREDENTIALS_NEWER', 'credentials-newer'],
    ] as const) {
      const harness = new ActionHarness();
      harness.store.broken = new StoreError('as it says', { code });
      const failure = { reason, detail: 'as it says' };
      assert.deepEqual(await harness.run({ at: 'load' }), { type: 'failed', failure });
    }
  });

  it('an error of the store that is no StoreError rejects', async () => {
    for (const bug of [new TypeError('x is not a function'), new RangeError('StoreError')]) {
      const harness = new ActionHarness();
      harness.store.broken = bug;
      await assert.rejects(harness.run({ at: 'load' }), (error) => error === bug);
    }
  });
});

it('wait sleeps for the time of the state', async () => {
  const harness = new ActionHarness();
  const failure = { reason: 'server-timeout', detail: 'seen' } as const;
  const elapsed = harness.run({ at: 'wait', forMs: 1_234, failure, resumeAt: { at: 'record-intent' } });
  await harness.clock.advance(1_233);
  assert.equal(harness.clock.sleeping, 1);
  await harness.clock.advance(1);
  assert.deepEqual(await elapsed, { type: 'wait-over' });
});

describe('a wait while the host gets a network', () => {
  const STEP = { at: 'wait', forMs: 60_000, resumeAt: { at: 'record-intent' } } as const;

  /** Runs the wait of a failure on a host that gets a network after 10 s; resolves with its length. */
  async function waitedMs(failure: Failure, spreadMs: number): Promise<number> {
    const harness = new ActionHarness();
    harness.settings = { ...SETTINGS, spreadMs };
    harness.network = { nextConnection: (signal) => harness.clock.sleep(10_000, signal) };
    let endedMs = Number.NaN;
    void harness.run({ ...STEP, failure }).then(() => {
      endedMs = harness.clock.monotonicMs();
    });
    await harness.clock.advance(120_000);
    assert.equal(harness.clock.sleeping, 0);
    return endedMs;
  }

  it('a wait ends soon after the network came, by a random part of the spread', async () => {
    for (const reason of ['no-route', 'dns-failed', 'server-timeout', 'port-closed'] as const) {
      assert.equal(await waitedMs({ reason, detail: 'seen' }, 0), 10_500, reason);
      assert.equal(await waitedMs({ reason, detail: 'seen' }, 8_000), 14_500, reason);
    }
  });

  it('the spread does not lengthen the wait', async () => {
    assert.equal(await waitedMs({ reason: 'no-route', detail: 'seen' }, 3_600_000), 60_000);
  });

  it('a wait for the server or for a person does not end with the network', async () => {
    for (const reason of ['server-overloaded', 'unauthorized', 'provisioning-declined'] as const)
      assert.equal(await waitedMs({ reason, detail: 'seen' }, 0), 60_000, reason);
    const asked = { reason: 'server-timeout', detail: 'seen', retryAfterMs: 1 } as const;
    assert.equal(await waitedMs(asked, 0), 60_000);
  });
});

it('deliver runs one step of the delivery with the token', async () => {
  const harness = new ActionHarness();
  harness.deliveryHarness.append(1);
  assert.deepEqual(await harness.run({ at: 'deliver', identity: PROPOSED }), { type: 'delivered' });
  const [call] = harness.deliveryHarness.transport.calls;
  assert.ok(call?.verb === 'postTelemetry' && call.token === PROPOSED.token);
});

describe('an issued token that cannot be stored', () => {
  it('an unsaved token is used for delivery and stored later without a new request', async () => {
    const harness = new ActionHarness();
    const identity = { deviceName: 'gw-1' };
    harness.store.broken = FULL;
    const tokenUnsaved = await harness.run({ at: 'provision', identity });
    assert.equal(tokenUnsaved.type === 'token-unsaved' && tokenUnsaved.failure.detail, FULL.message);
    const delivering = nextState({ at: 'provision', identity, failureCounts: {} }, tokenUnsaved, {
      monotonicMs: 0,
      random: 0,
    });
    harness.deliveryHarness.append(1);
    const delivered = await harness.run(delivering);
    assert.deepEqual(harness.deliveryHarness.transport.telemetry.flatMap(timesIn), [1]);
    harness.store.broken = undefined;
    const saving = nextState(delivering, delivered, { monotonicMs: RETRY_SAVE_MS, random: 0 });
    assert.equal((await harness.run(saving)).type, 'saved');
    assert.equal(harness.store.record?.token?.reveal(), 'issued-by-the-server');
    assert.equal(harness.transport.calls.length, 1);
  });
});

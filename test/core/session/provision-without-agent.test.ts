/** provisionWithoutAgent keeps the order and promises of the agent and ends where the agent would wait. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import type { ProvisioningSettings } from '../../../src/core/session/action-ports.ts';
import { RETRY_SAVE_MS } from '../../../src/core/session/machine.ts';
import { provisionWithoutAgent } from '../../../src/core/session/provision-without-agent.ts';
import { StoreError } from '../../../src/credentials/store-error.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { MemoryCredentialStore } from '../../doubles/memory-credential-store.ts';
import { type Script, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const SETTINGS: ProvisioningSettings = {
  server: 'coap://tb',
  deviceName: 'gw-1',
  spreadMs: 0,
  pair: { key: 'pk1', secret: new Secret('ps1'), deviceGenerated: true },
};
const FULL = new StoreError('the disk is full');

class ProvisionHarness {
  readonly journal: string[] = [];
  readonly clock = new VirtualClock();
  readonly random = new FixedRandom(0.5);
  readonly stop = new AbortController();
  readonly store: MemoryCredentialStore;
  readonly transport: ScriptedTransport;

  constructor(script?: Script, record?: CredentialRecord) {
    this.store = new MemoryCredentialStore(record, this.journal);
    this.transport = new ScriptedTransport(script, this.journal);
  }

  once() {
    return provisionWithoutAgent(this, SETTINGS, this.stop.signal);
  }
}

const pending = { state: 'pending', server: 'coap://tb', deviceName: 'gw-1', sinceMs: 1 } as const;
const PENDING: CredentialRecord = { ...pending, token: new Secret('proposed') };

describe('provisioning once', () => {
  it('provisionWithoutAgent stores the intent before the request and the token before it ends', async () => {
    const fixture = new ProvisionHarness();
    const { is } = await fixture.once();
    assert.equal(is, 'provisioned');
    assert.deepEqual(fixture.journal, [
      'store read',
      'store write pending',
      'transport provision',
      'store write provisioned',
    ]);
  });

  it('provisionWithoutAgent verifies an earlier proposed token before any request', async () => {
    const fixture = new ProvisionHarness(undefined, PENDING);
    const outcome = await fixture.once();
    assert.ok(outcome.is === 'provisioned' && outcome.source === 'recovered');
    assert.equal(outcome.identity.token.reveal(), 'proposed');
    assert.deepEqual(fixture.journal, ['store read', 'transport probe', 'store write provisioned']);
  });

  it('provisionWithoutAgent sends nothing if there are credentials', async () => {
    const token = new Secret('stored');
    const fixture = new ProvisionHarness(undefined, { ...pending, state: 'provisioned', token });
    const outcome = await fixture.once();
    assert.ok(outcome.is === 'provisioned' && outcome.source === 'existing');
    assert.deepEqual(fixture.journal, ['store read']);
  });

  it('provisionWithoutAgent returns the failure for which the agent would wait', async () => {
    const fixture = new ProvisionHarness(() => 'provisioning-key-unknown');
    const outcome = await fixture.once();
    assert.ok(outcome.is === 'failed' && outcome.failure.reason === 'provisioning-key-unknown');
    assert.equal(fixture.store.record?.state, 'pending');
    assert.equal(fixture.clock.sleeping, 0);
  });

  it('provisionWithoutAgent sends nothing if the intent cannot be stored', async () => {
    const fixture = new ProvisionHarness();
    fixture.store.broken = FULL;
    const outcome = await fixture.once();
    assert.ok(outcome.is === 'failed' && outcome.failure.reason === 'credentials-storage-failed');
    assert.deepEqual(fixture.transport.calls, []);
  });

  it('a cancelled provisionWithoutAgent returns whether the intent is stored', async () => {
    for (const reason of [DEADLINE, undefined]) {
      const fixture = new ProvisionHarness(() => {
        fixture.stop.abort(reason);
        return 'never';
      });
      assert.deepEqual(await fixture.once(), { is: 'cancelled', intentRecorded: true });
      assert.equal(fixture.store.record?.state, 'pending');
    }
    const withoutRequest = new ProvisionHarness();
    withoutRequest.stop.abort();
    assert.deepEqual(await withoutRequest.once(), { is: 'cancelled', intentRecorded: false });
    assert.deepEqual(withoutRequest.transport.calls, []);
  });
});

describe('an issued token that cannot be stored', () => {
  const issuedToABrokenDisk = () => {
    const fixture = new ProvisionHarness(() => {
      fixture.store.broken = FULL;
      return 'ok';
    });
    return fixture;
  };

  it('provisionWithoutAgent retries storing the token until it succeeds', async () => {
    const fixture = issuedToABrokenDisk();
    const outcome = fixture.once();
    await fixture.clock.advance(RETRY_SAVE_MS);
    fixture.store.broken = undefined;
    await fixture.clock.advance(RETRY_SAVE_MS);
    assert.equal((await outcome).is, 'provisioned');
    assert.equal(fixture.store.record?.state, 'provisioned');
    assert.equal(fixture.transport.calls.length, 1);
  });

  it('provisionWithoutAgent returns unsaved on abort, and the intent recovers the token later', async () => {
    const fixture = issuedToABrokenDisk();
    const outcome = fixture.once();
    await fixture.clock.advance(RETRY_SAVE_MS);
    fixture.stop.abort(DEADLINE);
    assert.deepEqual(await outcome, { is: 'unsaved', detail: FULL.message });
    assert.ok(fixture.store.record?.state === 'pending' && fixture.store.record.token);
  });
});

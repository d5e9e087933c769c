/** Provisioning once, beside the agent: the agent's order and its promises, and an end where the agent would wait. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import type { ProvisioningSettings } from '../../../src/core/session/actions.ts';
import { SAVE_AGAIN_MS } from '../../../src/core/session/machine.ts';
import { provisionOnce } from '../../../src/core/session/provision-once.ts';
import { StoreError } from '../../../src/credentials/store-error.ts';
import { LoadedDice } from '../../doubles/fixed-random.ts';
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

class Desk {
  readonly journal: string[] = [];
  readonly clock = new VirtualClock();
  readonly chance = new LoadedDice(0.5);
  readonly stop = new AbortController();
  readonly store: MemoryCredentialStore;
  readonly transport: ScriptedTransport;

  constructor(script?: Script, record?: CredentialRecord) {
    this.store = new MemoryCredentialStore(record, this.journal);
    this.transport = new ScriptedTransport(script, this.journal);
  }

  once() {
    return provisionOnce(this, SETTINGS, this.stop.signal);
  }
}

const pending = { state: 'pending', server: 'coap://tb', deviceName: 'gw-1', sinceMs: 1 } as const;
const PENDING: CredentialRecord = { ...pending, token: new Secret('proposed') };

describe('provisioning once', () => {
  it('has the intent on the disk before the server is asked, and the token before it ends', async () => {
    const desk = new Desk();
    const { is } = await desk.once();
    assert.equal(is, 'in');
    assert.deepEqual(desk.journal, [
      'store read',
      'store write pending',
      'transport provision',
      'store write provisioned',
    ]);
  });

  it('asks for a token that was proposed earlier before it asks for anything', async () => {
    const desk = new Desk(undefined, PENDING);
    const outcome = await desk.once();
    assert.ok(outcome.is === 'in' && outcome.how === 'answered');
    assert.equal(outcome.claim.token.reveal(), 'proposed');
    assert.deepEqual(desk.journal, ['store read', 'transport probe', 'store write provisioned']);
  });

  it('asks nothing where there are credentials', async () => {
    const token = new Secret('stored');
    const desk = new Desk(undefined, { ...pending, state: 'provisioned', token });
    const outcome = await desk.once();
    assert.ok(outcome.is === 'in' && outcome.how === 'earlier');
    assert.deepEqual(desk.journal, ['store read']);
  });

  it('ends with the refusal for which the agent would wait, and waits for nothing', async () => {
    const desk = new Desk(() => 'not-found');
    const outcome = await desk.once();
    assert.ok(outcome.is === 'refused' && outcome.refusal.reason === 'not-found');
    assert.equal(desk.store.record?.state, 'pending');
    assert.equal(desk.clock.sleeping, 0);
  });

  it('asks nothing of the server when the disk does not take the intent', async () => {
    const desk = new Desk();
    desk.store.broken = FULL;
    const outcome = await desk.once();
    assert.ok(outcome.is === 'refused' && outcome.refusal.reason === 'store-failed');
    assert.deepEqual(desk.transport.calls, []);
  });

  it('that is cut short says whether anything may be at the server', async () => {
    for (const reason of [DEADLINE, undefined]) {
      const desk = new Desk(() => {
        desk.stop.abort(reason);
        return 'never';
      });
      assert.deepEqual(await desk.once(), { is: 'cut short', intended: true });
      assert.equal(desk.store.record?.state, 'pending');
    }
    const unasked = new Desk();
    unasked.stop.abort();
    assert.deepEqual(await unasked.once(), { is: 'cut short', intended: false });
    assert.deepEqual(unasked.transport.calls, []);
  });
});

describe('a token that the disk does not take', () => {
  const issuedToABrokenDisk = () => {
    const desk = new Desk(() => {
      desk.store.broken = FULL;
      return 'ok';
    });
    return desk;
  };

  it('is held and offered again until the disk takes it', async () => {
    const desk = issuedToABrokenDisk();
    const outcome = desk.once();
    await desk.clock.advance(SAVE_AGAIN_MS);
    desk.store.broken = undefined;
    await desk.clock.advance(SAVE_AGAIN_MS);
    assert.equal((await outcome).is, 'in');
    assert.equal(desk.store.record?.state, 'provisioned');
    assert.equal(desk.transport.calls.length, 1);
  });

  it('is told as unsaved when the time is over, and found by its intent later', async () => {
    const desk = issuedToABrokenDisk();
    const outcome = desk.once();
    await desk.clock.advance(SAVE_AGAIN_MS);
    desk.stop.abort(DEADLINE);
    assert.deepEqual(await outcome, { is: 'unsaved', seen: FULL.message });
    assert.ok(desk.store.record?.state === 'pending' && desk.store.record.token);
  });
});

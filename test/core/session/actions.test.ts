/**
 * What each state does, in which order: nothing is asked of the server before the intent is on disk, or when
 * it cannot be.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { act, type ProvisioningSettings } from '../../../src/core/session/actions.ts';
import { next, SAVE_AGAIN_MS, START } from '../../../src/core/session/machine.ts';
import type { Event, State, Step } from '../../../src/core/session/state.ts';
import { StoreError } from '../../../src/credentials/store-error.ts';
import { LoadedDice } from '../../doubles/fixed-random.ts';
import { MemoryCredentialStore } from '../../doubles/memory-credential-store.ts';
import { revealed } from '../../doubles/reveal-secrets.ts';
import { type Script, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { DeliveryStage, timesIn } from '../delivery/delivery-harness.ts';

const PAIR = { key: 'pk1', secret: new Secret('ps1'), deviceGenerated: true };
const SETTINGS: ProvisioningSettings = { server: 'coap://tb', deviceName: 'gw-1', spreadMs: 0, pair: PAIR };
const OURS = { deviceName: 'gw-1', token: new Secret('minted-1') };
const WALL_MS = Date.UTC(2026, 0, 1);
const FULL = new StoreError('the credential file /x cannot be written: the disk is full; free some space');

class Desk {
  readonly journal: string[] = [];
  readonly store = new MemoryCredentialStore(undefined, this.journal);
  readonly chance = new LoadedDice(0.5);
  readonly transport: ScriptedTransport;
  readonly stage = new DeliveryStage();
  readonly clock = this.stage.clock;
  settings = SETTINGS;

  constructor(script?: Script) {
    this.transport = new ScriptedTransport(script, this.journal);
  }

  act(step: Step): Promise<Event> {
    return act(step, this, this.settings, this.stage.delivery, this.stage.stop.signal);
  }
}

describe('the first boot of a gateway', () => {
  it('writes its intent before the server is asked, and the token before it is believed', async () => {
    const desk = new Desk();
    let state: State = START;
    while (state.at !== 'deliver') {
      const event = await desk.act(state);
      state = next(state, event, { monotonicMs: 0, random: 0 });
      desk.journal.push(event.type);
    }
    assert.deepEqual(desk.journal, [
      'store read',
      'remembered',
      'store write pending',
      'intended',
      'transport provision',
      'store write provisioned',
      'issued',
    ]);
    assert.equal(state.claim.token.reveal(), 'minted-1');
  });
});

describe('to intend', () => {
  it('mints a token of ours and stores it with the name, the server and the date', async () => {
    const desk = new Desk();
    const event = await desk.act({ at: 'intend' });
    assert.deepEqual(revealed(event), { type: 'intended', claim: revealed(OURS) });
    const stored = { state: 'pending', server: 'coap://tb', sinceMs: WALL_MS, ...OURS };
    assert.deepEqual(revealed(desk.store.record), revealed(stored));
  });

  it('mints nothing where the server is to choose', async () => {
    const desk = new Desk();
    desk.settings = { ...SETTINGS, pair: { ...PAIR, deviceGenerated: false } };
    const event = await desk.act({ at: 'intend' });
    assert.deepEqual(event, { type: 'intended', claim: { deviceName: 'gw-1' } });
    assert.equal(desk.chance.minted, 0);
    assert.ok(desk.store.record && !('token' in desk.store.record));
  });

  it('proposes an earlier token again under the configured name, and mints none', async () => {
    for (const deviceGenerated of [true, false]) {
      const desk = new Desk();
      desk.settings = { ...SETTINGS, deviceName: 'gw-2', pair: { ...PAIR, deviceGenerated } };
      const claim = { deviceName: 'gw-2', token: OURS.token };
      const event = await desk.act({ at: 'intend', proposed: OURS.token });
      assert.deepEqual(revealed(event), revealed({ type: 'intended', claim }));
      const stored = { state: 'pending', server: 'coap://tb', sinceMs: WALL_MS, ...claim };
      assert.deepEqual(revealed(desk.store.record), revealed(stored));
      assert.equal(desk.chance.minted, 0);
    }
  });
});

describe('to provision', () => {
  it('sends name, key, secret and the token of the claim', async () => {
    const desk = new Desk();
    await desk.act({ at: 'provision', claim: OURS });
    const [call] = desk.transport.calls;
    const request = { deviceName: 'gw-1', key: 'pk1', secret: PAIR.secret, token: OURS.token };
    assert.deepEqual(revealed(call), revealed({ verb: 'provision', request }));
  });

  it('stores the token that was issued, not the one that was proposed', async () => {
    const desk = new Desk();
    await desk.act({ at: 'provision', claim: { deviceName: 'gw-1' } });
    const stored = { state: 'provisioned', server: 'coap://tb', deviceName: 'gw-1', sinceMs: WALL_MS };
    assert.deepEqual(revealed(desk.store.record), { ...stored, token: 'revealed issued-by-the-server' });
  });

  it('refused, stores nothing and passes the refusal on', async () => {
    const desk = new Desk(() => 'not-found');
    const event = await desk.act({ at: 'provision', claim: OURS });
    assert.equal(event.type === 'refused' && event.refusal.reason, 'not-found');
    assert.deepEqual(desk.journal, ['transport provision']);
  });

  it('without a key and secret is a refusal, and nothing is sent or written', async () => {
    const desk = new Desk();
    const { pair: _, ...bare } = SETTINGS;
    desk.settings = bare;
    const event = await desk.act({ at: 'provision', claim: OURS });
    assert.equal(event.type === 'refused' && event.refusal.reason, 'no-pair');
    assert.deepEqual(desk.journal, []);
  });
});

describe('to probe and to adopt', () => {
  const probe: Step = { at: 'probe', claim: OURS, declined: false };

  it('asks about the token of the claim and tells the answer as it is', async () => {
    const desk = new Desk((_, index) => (['ok', 'not-ours', 'silent'] as const)[index] ?? 'ok');
    assert.deepEqual(await desk.act(probe), { type: 'probed', ours: true });
    assert.deepEqual(await desk.act(probe), { type: 'probed', ours: false });
    const refused = await desk.act(probe);
    assert.equal(refused.type === 'refused' && refused.refusal.reason, 'silent');
    assert.deepEqual(revealed(desk.transport.calls[0]), { verb: 'probe', token: 'revealed minted-1' });
  });

  it('makes the adopted token durable without asking the server again', async () => {
    const desk = new Desk();
    assert.deepEqual(await desk.act({ at: 'adopt', claim: OURS }), { type: 'adopted' });
    assert.deepEqual(desk.journal, ['store write provisioned']);
    assert.equal(desk.store.record?.token, OURS.token);
    assert.equal(desk.store.record?.deviceName, 'gw-1');
  });
});

describe('a store that fails', () => {
  const steps: Step[] = [{ at: 'remember' }, { at: 'intend' }, { at: 'adopt', claim: OURS }];
  for (const step of steps) {
    it(`makes ${step.at} a refusal in the store's own words, and nothing is sent`, async () => {
      const desk = new Desk();
      desk.store.broken = FULL;
      const refusal = { reason: 'store-failed', detail: FULL.message };
      assert.deepEqual(await desk.act(step), { type: 'refused', refusal });
      assert.deepEqual(desk.transport.calls, []);
    });
  }

  it('because of what is in the files says which of the two it is', async () => {
    for (const [code, reason] of [
      ['CREDENTIALS_DAMAGED', 'credentials-unreadable'],
      ['CREDENTIALS_NEWER', 'credentials-newer'],
    ] as const) {
      const desk = new Desk();
      desk.store.broken = new StoreError('as it says', { code });
      const refusal = { reason, detail: 'as it says' };
      assert.deepEqual(await desk.act({ at: 'remember' }), { type: 'refused', refusal });
    }
  });

  it('in a way that is no StoreError is a bug, and rejects with what was thrown', async () => {
    for (const bug of [new TypeError('x is not a function'), new RangeError('StoreError')]) {
      const desk = new Desk();
      desk.store.broken = bug;
      await assert.rejects(desk.act({ at: 'remember' }), (error) => error === bug);
    }
  });
});

it('to wait is to sleep for the time the state names', async () => {
  const desk = new Desk();
  const refusal = { reason: 'silent', detail: 'seen' } as const;
  const elapsed = desk.act({ at: 'wait', forMs: 1_234, refusal, resume: { at: 'intend' } });
  await desk.clock.advance(1_233);
  assert.equal(desk.clock.sleeping, 1);
  await desk.clock.advance(1);
  assert.deepEqual(await elapsed, { type: 'elapsed' });
});

it('to deliver is one step of the delivery, with the token of the claim', async () => {
  const desk = new Desk();
  desk.stage.append(1);
  assert.deepEqual(await desk.act({ at: 'deliver', claim: OURS }), { type: 'delivered' });
  const [call] = desk.stage.transport.calls;
  assert.ok(call?.verb === 'postTelemetry' && call.token === OURS.token);
});

describe('a token that the server issued and the disk would not take', () => {
  it('is delivered with, and written later: the server is not asked again', async () => {
    const desk = new Desk();
    const claim = { deviceName: 'gw-1' };
    desk.store.broken = FULL;
    const unkept = await desk.act({ at: 'provision', claim });
    assert.equal(unkept.type === 'unkept' && unkept.refusal.detail, FULL.message);
    const delivering = next({ at: 'provision', claim, troubles: 0 }, unkept, { monotonicMs: 0, random: 0 });
    desk.stage.append(1);
    const delivered = await desk.act(delivering);
    assert.deepEqual(desk.stage.transport.telemetry.flatMap(timesIn), [1]);
    desk.store.broken = undefined;
    const adopting = next(delivering, delivered, { monotonicMs: SAVE_AGAIN_MS, random: 0 });
    assert.equal((await desk.act(adopting)).type, 'adopted');
    assert.equal(desk.store.record?.token?.reveal(), 'issued-by-the-server');
    assert.equal(desk.transport.calls.length, 1);
  });
});

/** Publishing, reading and notifying attributes (contract section 5). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SandboxCoreWithAdmin } from '../../../../src/sandbox/core/core.ts';
import type { DeviceHandle } from '../../../../src/sandbox/core/model/types.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { openQuickCore, withDevice } from '../../helpers/quick-core.ts';

async function publish(core: SandboxCoreWithAdmin, device: DeviceHandle, body: string): Promise<string> {
  return (await core.publishAttributes(device, body, 'coap')).status;
}

/** The JSON text of the answer, or its status if it has none. */
async function read(
  core: SandboxCoreWithAdmin,
  device: DeviceHandle,
  keys: { clientKeys?: readonly string[]; sharedKeys?: readonly string[] } = {},
): Promise<string> {
  const answer = await core.readAttributes(device, keys);
  return answer.status === 'found' ? answer.json : answer.status;
}

describe('publishing attributes', () => {
  it('publishing writes the client scope by the value rules', async () => {
    const core = openQuickCore();
    const device = await withDevice(core);
    assert.equal(await publish(core, device, '{"fw":"007","x":{"y":null},"gone":null}'), 'accepted');
    assert.deepEqual(core.admin.devices()[0]?.attributes.client, { fw: 7, x: '{}' });
  });

  it('publishing treats ts and values as ordinary attributes', async () => {
    const core = openQuickCore();
    const device = await withDevice(core);
    await publish(core, device, '{"ts":1,"values":{"a":2}}');
    assert.deepEqual(core.admin.devices()[0]?.attributes.client, { ts: 1, values: '{"a":2}' });
  });

  for (const body of ['[]', '[{"a":1}]', '1', '"x"', 'null', '', '{']) {
    it(`publishing rejects ${body || 'an empty body'} as malformed`, async () => {
      const core = openQuickCore();
      assert.equal(await publish(core, await withDevice(core), body), 'malformed');
    });
  }

  for (const [what, key] of [
    ['an empty key', ''],
    ['a blank key', ' '],
    ['a key of 256 characters', 'k'.repeat(256)],
    ['a key with HTML', '<b>k</b>'],
    ['a key with a template', '{{k}}'],
  ] as const) {
    it(`publishing accepts ${what} and stores nothing of the message`, async () => {
      const core = openQuickCore();
      assert.equal(
        await publish(core, await withDevice(core), JSON.stringify({ a: 1, [key]: 2 })),
        'accepted',
      );
      assert.deepEqual(core.admin.devices()[0]?.attributes.client, {});
    });
  }

  it('publishing drops nested nulls, writing as administrator keeps them', async () => {
    const core = openQuickCore();
    const device = await withDevice(core);
    await publish(core, device, '{"a":{"b":{"c":null,"d":[null]}}}');
    core.admin.setSharedAttributes('gw-0001', '{"a":{"b":null}}');
    assert.equal(await read(core, device), '{"client":{"a":{"b":{"d":[null]}}},"shared":{"a":{"b":null}}}');
  });

  it('fails under the rate limit', async () => {
    const core = openQuickCore({ knobs: { rateLimited: true } });
    assert.equal(await publish(core, await withDevice(core), '{"a":1}'), 'failed');
  });

  it('publishing reports a change only if a value differs', async () => {
    let changes = 0;
    const core = openQuickCore({ devicesChanged: () => (changes += 1) });
    const device = await withDevice(core);
    changes = 0;
    await publish(core, device, '{"a":1}');
    await publish(core, device, '{"a":1}');
    assert.equal(changes, 1);
  });
});

describe('reading attributes', () => {
  async function createDeviceWithAttributes(): Promise<[SandboxCoreWithAdmin, DeviceHandle]> {
    const core = openQuickCore();
    const device = await withDevice(core);
    await publish(core, device, '{"a":1,"b":2}');
    core.admin.setSharedAttributes('gw-0001', '{"b":"x","c":1.0}');
    return [core, device];
  }

  it('reading without keys returns both scopes', async () => {
    assert.equal(
      await read(...(await createDeviceWithAttributes())),
      '{"client":{"a":1,"b":2},"shared":{"b":"x","c":1.0}}',
    );
  });

  it('reading with keys of one scope returns only that scope', async () => {
    const [core, device] = await createDeviceWithAttributes();
    assert.equal(await read(core, device, { clientKeys: ['b'] }), '{"client":{"b":2}}');
    assert.equal(await read(core, device, { sharedKeys: ['b', 'b'] }), '{"shared":{"b":"x"}}');
  });

  it('A2: reading returns the requested keys of each scope', async () => {
    const [core, device] = await createDeviceWithAttributes();
    const answer = await read(core, device, { clientKeys: ['a'], sharedKeys: ['b'] });
    assert.equal(answer, '{"client":{"a":1},"shared":{"b":"x"}}');
  });

  it('reading leaves out a scope without a match', async () => {
    const [core, device] = await createDeviceWithAttributes();
    assert.equal(
      await read(core, device, { clientKeys: ['zzz'], sharedKeys: ['b'] }),
      '{"shared":{"b":"x"}}',
    );
  });

  it('reading finds nothing in empty scopes and no server attributes', async () => {
    const core = openQuickCore({ generateToken: () => 'tok' });
    await core.provision('{"provisionDeviceKey":"pk1","provisionDeviceSecret":"ps1"}', 'coap');
    const check = await core.checkToken('tok');
    assert.ok(check.status === 'ok');
    assert.equal(await read(core, check.device), 'nothing');
    assert.equal(await read(core, check.device, { clientKeys: ['provisionState'] }), 'nothing');
  });

  it('fails under the rate limit', async () => {
    const [core, device] = await createDeviceWithAttributes();
    core.admin.updateKnobs({ rateLimited: true });
    assert.equal(await read(core, device), 'failed');
  });

  it('reading gets no answer if the core is slower than the transport waits', async () => {
    const clock = new ManualClock();
    const core = openQuickCore({ clock });
    const device = await withDevice(core);
    core.admin.updateKnobs({ coreLatencyMinMs: 11_000, coreLatencyMaxMs: 11_000 });
    const reading = read(core, device);
    await clock.advance(10_000);
    assert.equal(await reading, 'silent');
  });
});

describe('shared attributes', () => {
  it('shared attributes are a flat object, or empty', async () => {
    const core = openQuickCore();
    const device = await withDevice(core);
    assert.equal(await core.sharedAttributes(device), '{}');
    core.admin.setSharedAttributes('gw-0001', '{"uploadPeriod":60}');
    assert.equal(await core.sharedAttributes(device), '{"uploadPeriod":60}');
  });

  it('A1: a change notifies with the written or the deleted keys', async () => {
    const core = openQuickCore();
    const device = await withDevice(core);
    const notifications: string[] = [];
    core.subscribe(device, { sharedAttributes: (json) => notifications.push(json) });
    core.admin.setSharedAttributes('gw-0001', '{"uploadPeriod":60}');
    core.admin.setSharedAttributes('gw-0001', '{"other":"x"}');
    core.admin.deleteSharedAttributes('gw-0001', ['uploadPeriod', 'never']);
    assert.deepEqual(notifications, [
      '{"uploadPeriod":60}',
      '{"other":"x"}',
      '{"deleted":["uploadPeriod","never"]}',
    ]);
  });

  it('a change notifies only current subscribers of the device', async () => {
    const core = openQuickCore();
    const device = await withDevice(core);
    core.admin.createDevice({ name: 'other' });
    const notifications: string[] = [];
    const unsubscribe = core.subscribe(device, { sharedAttributes: (json) => notifications.push(json) });
    core.admin.setSharedAttributes('other', '{"a":1}');
    unsubscribe();
    unsubscribe();
    core.admin.setSharedAttributes('gw-0001', '{"a":1}');
    assert.deepEqual(notifications, []);
  });

  it('a restart keeps shared attributes and drops listeners', async () => {
    const core = openQuickCore();
    const device = await withDevice(core);
    const notifications: string[] = [];
    core.subscribe(device, {
      sharedAttributes: (json) => notifications.push(json),
      ended: () => notifications.push('ended'),
    });
    core.admin.restart();
    core.admin.setSharedAttributes('gw-0001', '{"a":1}');
    assert.deepEqual(notifications, []);
    assert.equal(await core.sharedAttributes(device), '{"a":1}');
  });
});

describe('the end of a token', () => {
  it('revoking a token ends all subscriptions once', async () => {
    const core = openQuickCore();
    const device = await withDevice(core, 'old');
    const notifications: string[] = [];
    core.subscribe(device, { ended: (reason) => notifications.push(reason) });
    const revoked = core.admin.revokeToken('gw-0001');
    core.admin.revokeToken('gw-0001');
    assert.deepEqual(notifications, ['revoked']);
    assert.ok(revoked.ok);
    assert.match(revoked.value.token ?? '', /^[A-Za-z0-9]{20}$/);
    assert.deepEqual(await core.checkToken('old'), { status: 'unauthorized' });
  });

  it('deleting a device ends all subscriptions', async () => {
    const core = openQuickCore();
    const device = await withDevice(core, 'old');
    const notifications: string[] = [];
    core.subscribe(device, { ended: (reason) => notifications.push(reason) });
    core.admin.deleteDevice('gw-0001');
    assert.deepEqual(notifications, ['deleted']);
    assert.deepEqual(await core.checkToken('old'), { status: 'unauthorized' });
  });

  it('a foreign transport type keeps the token valid but disallows CoAP', async () => {
    for (const [transportType, coapAllowed] of [
      ['DEFAULT', true],
      ['COAP', true],
      ['MQTT', false],
      ['LWM2M', false],
      ['SNMP', false],
    ] as const) {
      const core = openQuickCore({ knobs: { transportType } });
      assert.equal((await withDevice(core)).coapAllowed, coapAllowed);
    }
  });
});

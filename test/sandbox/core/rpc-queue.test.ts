/** Server-side RPC, client-side RPC and claims (contract sections 6 and 7). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import type { DeviceHandle, RpcCommand } from '../../../src/sandbox/core/model/types.ts';
import type { RpcOutcome } from '../../../src/sandbox/core/rpc-queue.ts';
import type { RpcInput } from '../../../src/sandbox/core/tenant-admin.ts';
import { ManualClock, settlePromises } from '../helpers/manual-clock.ts';
import { openQuickCore, withDevice } from '../helpers/quick-core.ts';

interface Harness {
  readonly clock: ManualClock;
  readonly core: SandboxCoreWithAdmin;
  readonly device: DeviceHandle;
  readonly pushed: RpcCommand[];
  subscribe(): () => void;
  send(input?: Partial<RpcInput>): Promise<RpcOutcome>;
}

async function openHarness(): Promise<Harness> {
  const clock = new ManualClock();
  const core = openQuickCore({ clock });
  const device = await withDevice(core);
  const pushed: RpcCommand[] = [];
  return {
    clock,
    core,
    device,
    pushed,
    subscribe: () => core.subscribe(device, { rpc: (command) => pushed.push(command) }),
    send: async (input = {}) => {
      const answer = await core.admin.sendRpc('gw-0001', { method: 'reboot', ...input });
      assert.ok(answer.ok);
      return answer.value;
    },
  };
}

describe('a server-side RPC', () => {
  it('R1: an RPC is pushed as id, method and params, IDs from 0', async () => {
    const { pushed, subscribe, send, core } = await openHarness();
    subscribe();
    const sending = [send({ params: { delay: 5 } }), send()];
    await settlePromises();
    assert.deepEqual(
      pushed.map(({ json }) => json),
      ['{"id":0,"method":"reboot","params":{"delay":5}}', '{"id":1,"method":"reboot","params":null}'],
    );
    core.close();
    await Promise.all(sending);
  });

  it('pending RPCs are pushed at the next subscription, oldest first', async () => {
    const { pushed, subscribe, send, core } = await openHarness();
    const sending = [send(), send()];
    await settlePromises();
    assert.deepEqual(pushed, []);
    subscribe();
    assert.deepEqual(
      pushed.map(({ id }) => id),
      [0, 1],
    );
    core.close();
    await Promise.all(sending);
  });

  it('a one-way RPC is done when it is pushed, even if it is lost on its way', async () => {
    const { pushed, subscribe, send, core, device } = await openHarness();
    subscribe();
    assert.deepEqual(await send({ oneWay: true }), { status: 'sent', id: 0 });
    core.rpcDelivered(device, 0, false);
    subscribe();
    assert.equal(pushed.length, 1);
  });

  it('a pending one-way RPC is done at the next subscription', async () => {
    const { pushed, subscribe, send } = await openHarness();
    const sending = send({ oneWay: true });
    await settlePromises();
    subscribe();
    assert.deepEqual(await sending, { status: 'sent', id: 0 });
    subscribe();
    assert.equal(pushed.length, 1);
  });

  it('a two-way RPC without a reply is pushed again, though it was delivered', async () => {
    const { pushed, subscribe, send, core, device } = await openHarness();
    subscribe();
    const sending = send();
    await settlePromises();
    core.rpcDelivered(device, 0, true);
    subscribe();
    assert.equal(pushed.length, 2);
    assert.deepEqual(await core.rpcReply(device, 0, '{"ok":true}', 'coap'), { status: 'accepted' });
    assert.deepEqual(await sending, { status: 'replied', id: 0, reply: '{"ok":true}' });
    subscribe();
    assert.equal(pushed.length, 2);
  });

  it('a listener that takes one RPC gets the oldest pending one and no other', async () => {
    const { pushed, send, core, device } = await openHarness();
    const sending = [send(), send()];
    await settlePromises();
    core.subscribe(device, { takesOneRpc: true, rpc: (command) => pushed.push(command) });
    sending.push(send());
    await settlePromises();
    assert.deepEqual(
      pushed.map(({ id }) => id),
      [0],
    );
    core.close();
    await Promise.all(sending);
  });

  it('a listener that takes one RPC leaves the next one pending', async () => {
    const { pushed, send, core, device } = await openHarness();
    const poll = () => core.subscribe(device, { takesOneRpc: true, rpc: (command) => pushed.push(command) });
    poll();
    const sending = [send({ oneWay: true }), send({ oneWay: true })];
    assert.equal((await sending[0])?.status, 'sent');
    assert.equal(pushed.length, 1);
    poll();
    assert.equal((await sending[1])?.status, 'sent');
    assert.equal(pushed.length, 2);
  });

  it('an unacknowledged RPC is pushed again with the same ID', async () => {
    const { pushed, subscribe, send, core, device } = await openHarness();
    subscribe()();
    subscribe();
    const sending = send();
    await settlePromises();
    core.rpcDelivered(device, 0, false);
    subscribe();
    assert.deepEqual(
      pushed.map(({ id }) => id),
      [0, 0],
    );
    core.close();
    await sending;
  });

  it('an RPC fails after five failed deliveries', async () => {
    const { subscribe, send, core, device } = await openHarness();
    subscribe();
    const sending = send();
    await settlePromises();
    for (let attempt = 1; attempt <= 5; attempt += 1) core.rpcDelivered(device, 0, false);
    assert.deepEqual(await sending, { status: 'failed', id: 0 });
  });

  it('an RPC times out after 10 s, as timeout or as no-subscription', async () => {
    const { clock, subscribe, send } = await openHarness();
    const unheard = send();
    await clock.advance(10_000);
    assert.deepEqual(await unheard, { status: 'no-subscription', id: 0 });
    subscribe();
    const unanswered = send();
    await clock.advance(10_000);
    assert.deepEqual(await unanswered, { status: 'timeout', id: 1 });
  });

  it('an RPC waits at least 5 s', async () => {
    const { clock, send } = await openHarness();
    const sending = send({ timeoutMs: 1 });
    await clock.advance(4_999);
    assert.equal(clock.sleeping, 1);
    await clock.advance(1);
    assert.equal((await sending).status, 'no-subscription');
  });

  it('a restart loses open RPCs and restarts IDs at 0', async () => {
    const { core, send, pushed, subscribe } = await openHarness();
    const lost = send();
    await settlePromises();
    core.admin.restart();
    assert.deepEqual(await lost, { status: 'failed', id: 0 });
    subscribe();
    const again = send();
    await settlePromises();
    assert.deepEqual(
      pushed.map(({ id }) => id),
      [0],
    );
    core.close();
    await again;
  });

  it('an RPC fails if the device is deleted', async () => {
    const { core, send } = await openHarness();
    const sending = send();
    await settlePromises();
    core.admin.deleteDevice('gw-0001');
    assert.equal((await sending).status, 'failed');
  });

  it('an RPC to an unknown device is rejected', async () => {
    const { core } = await openHarness();
    const answer = await core.admin.sendRpc('nobody', { method: 'reboot' });
    assert.ok(!answer.ok);
    assert.equal(answer.problem, 'no-device');
  });
});

describe('a reply', () => {
  it('a reply to an unknown, stale or one-way ID is accepted', async () => {
    const { core, device, send } = await openHarness();
    const oneWay = send({ oneWay: true });
    await settlePromises();
    for (const id of [0, 7, -1]) {
      assert.deepEqual(await core.rpcReply(device, id, '{}', 'coap'), { status: 'accepted' });
    }
    assert.equal((await oneWay).status, 'replied');
  });

  it('a reply that is not an object fails over CoAP only', async () => {
    const { core, device } = await openHarness();
    for (const body of ['"ok"', '[]', '{', '', '1']) {
      assert.deepEqual(await core.rpcReply(device, 0, body, 'coap'), { status: 'failed' }, body);
      assert.deepEqual(await core.rpcReply(device, 0, body, 'http'), { status: 'accepted' }, body);
    }
  });
});

describe('a client-side RPC', () => {
  it('a well-formed client-side RPC gets no reply', async () => {
    const { core, device } = await openHarness();
    const body = '{"method":"getTime","params":{}}';
    assert.deepEqual(await core.clientRpc(device, body, 'coap'), { status: 'silent' });
    assert.deepEqual(await core.clientRpc(device, body, 'http'), { status: 'silent' });
  });

  it('a client-side RPC fails without method, over HTTP also without params', async () => {
    const { core, device } = await openHarness();
    assert.deepEqual(await core.clientRpc(device, '{"params":{}}', 'coap'), { status: 'failed' });
    assert.deepEqual(await core.clientRpc(device, '{"method":"m"}', 'http'), { status: 'failed' });
    assert.deepEqual(await core.clientRpc(device, '{"method":"m"}', 'coap'), { status: 'silent' });
    assert.deepEqual(await core.clientRpc(device, '{', 'coap'), { status: 'failed' });
  });
});

describe('a claim', () => {
  it('a claim is accepted with any members and without a body', async () => {
    const { core, device } = await openHarness();
    for (const body of ['{"secretKey":"s","durationMs":60000}', '{"secretKey":"s"}', '{}', '']) {
      assert.deepEqual(await core.claim(device, body, 'coap'), { status: 'accepted' }, body);
    }
  });

  it('a claim that is not an object is malformed', async () => {
    const { core, device } = await openHarness();
    for (const body of ['[]', '"s"', '1', '{']) {
      assert.equal((await core.claim(device, body, 'coap')).status, 'malformed', body);
    }
  });

  it('a claim fails under the rate limit', async () => {
    const { core, device } = await openHarness();
    core.admin.updateKnobs({ rateLimited: true });
    assert.deepEqual(await core.claim(device, '{}', 'coap'), { status: 'failed' });
  });
});

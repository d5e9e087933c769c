/** Observing attributes and RPC (contract sections 5 and 6). */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CoapHarness, openCoapHarness } from '../helpers/coap-harness.ts';
import { CoapPeer, codeOf, option, optionHex, payloadText, request } from '../helpers/coap-peer.ts';

interface ObserveOptions {
  readonly feature?: 'attributes' | 'rpc';
  readonly token?: string;
  readonly observe?: string;
  readonly type?: 'CON' | 'NON';
}

function observe(messageId: number, settings: ObserveOptions = {}): Buffer {
  const { feature = 'attributes', token = 'a1', type = 'CON' } = settings;
  const options = [option(6, settings.observe ?? '')];
  return request('GET', { type, messageId, token, path: `/api/v1/tok/${feature}`, options });
}

/** The next notification with code, Observe value and payload; not acknowledged. */
async function notification(peer: CoapPeer): Promise<{ bytes: Buffer; text: string }> {
  const bytes = await peer.next();
  assert.ok(bytes, 'no notification');
  const number = optionHex(bytes, 'Observe');
  return {
    bytes,
    text: `${codeOf(bytes)} ${number === '' ? 0 : Number(`0x${number}`)} ${payloadText(bytes)}`,
  };
}

/** The next notification, acknowledged. */
async function acknowledgedNotification(peer: CoapPeer): Promise<string> {
  const { bytes, text } = await notification(peer);
  peer.answer(bytes);
  await peer.settle();
  return text;
}

async function openObserving(settings: Parameters<typeof openCoapHarness>[0] = {}): Promise<CoapHarness> {
  const harness = await openCoapHarness(settings);
  harness.peer.send(observe(1));
  await harness.peer.expect('61450001a1606132ff7b7d');
  return harness;
}

describe('observing attributes', { concurrency: true }, () => {
  test('one CON is in flight, the newest is queued, others are dropped', async () => {
    await using harness = await openObserving();
    for (const n of [1, 2, 3, 4]) harness.core.notifyAttributes(`{"n":${n}}`);
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 1 {"n":1}');
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 4 {"n":4}');
    harness.core.notifyAttributes('{"n":5}');
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 5 {"n":5}');
    await harness.peer.expectSilence(50);
  });

  test('a NON registration gets NON notifications, at once and all of them', async () => {
    await using harness = await openCoapHarness();
    harness.peer.send(observe(1, { type: 'NON' }));
    await harness.peer.expect('5145....a1606132ff7b7d');
    for (const n of [1, 2, 3]) harness.core.notifyAttributes(`{"n":${n}}`);
    for (const n of [1, 2, 3]) {
      const { bytes, text } = await notification(harness.peer);
      assert.equal(text, `2.05 ${n} {"n":${n}}`);
      assert.equal(bytes.readUInt8(0) >> 4, 5);
    }
    harness.core.endDevice();
    await harness.peer.expect('5142....a160');
  });

  test('a notification waits for the ACK of a slow first response', async () => {
    await using harness = await openCoapHarness({ latencyMs: 600 });
    harness.peer.send(observe(1));
    await harness.peer.expect('60000001');
    const first = await harness.peer.expect('4145....a1606132ff7b7d');
    harness.core.notifyAttributes('{"n":1}');
    await harness.peer.expectSilence(60);
    harness.peer.answer(first);
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 1 {"n":1}');
  });

  test('registering again with the same token restarts the counter', async () => {
    await using harness = await openObserving();
    harness.core.notifyAttributes('{"n":1}');
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 1 {"n":1}');
    harness.peer.send(observe(2));
    await harness.peer.expect('61450002a1606132ff7b7d');
    harness.core.notifyAttributes('{"n":2}');
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 1 {"n":2}');
    assert.equal(harness.core.listeners.size, 1);
  });

  test('a registration from another peer or token ends the old one with 2.02', async () => {
    await using harness = await openObserving();
    harness.peer.send(observe(2, { token: 'a2' }));
    harness.peer.answer(await harness.peer.expect('4142....a160'));
    await harness.peer.expect('61450002a2606132ff7b7d');
    await using other = await CoapPeer.open(harness.server.port);
    other.send(observe(1));
    await other.expect('61450001a1606132ff7b7d');
    harness.peer.answer(await harness.peer.expect('4142....a260'));
    harness.core.notifyAttributes('{"n":1}');
    assert.equal(await acknowledgedNotification(other), '2.05 1 {"n":1}');
    await harness.peer.expectSilence(50);
    assert.equal(harness.core.listeners.size, 1);
  });

  test('attributes and RPC are observed at the same time', async () => {
    await using harness = await openObserving();
    harness.peer.send(observe(2, { feature: 'rpc', token: 'b1' }));
    harness.peer.answer(await harness.peer.expect('4143....b160'));
    assert.equal(harness.core.listeners.size, 2);
    await harness.peer.expectSilence(20);
  });

  test('a cancel needs the same token and gets only an empty ACK', async () => {
    await using harness = await openObserving();
    harness.peer.send(observe(2, { token: 'ff', observe: '01' }));
    await harness.peer.expectSilence(450);
    await harness.peer.expect('60000002');
    assert.equal(harness.core.listeners.size, 1);
    harness.peer.send(observe(3, { observe: '01' }));
    await harness.peer.expectSilence(450);
    await harness.peer.expect('60000003');
    assert.equal(harness.core.listeners.size, 0);
    await harness.peer.expectSilence(200);
  });

  for (const type of ['CON', 'NON'] as const) {
    test(`a reset of a ${type} notification cancels`, async () => {
      await using harness = await openCoapHarness();
      harness.peer.send(observe(1, { type }));
      await harness.peer.next();
      harness.core.notifyAttributes('{"n":1}');
      const { bytes } = await notification(harness.peer);
      harness.peer.answer(bytes, '7000');
      await harness.peer.expectSilence(50);
      assert.equal(harness.core.listeners.size, 0);
    });
  }

  test('a notification without an ACK drops all observations of that peer', async () => {
    await using harness = await openObserving({ settings: { ackTimeoutMs: 10 } });
    harness.core.devices.set('tok2', { status: 'ok', device: { id: 'd2', name: 'gw-2', coapAllowed: true } });
    await using other = await CoapPeer.open(harness.server.port);
    const second = request('GET', {
      messageId: 2,
      token: 'c1',
      path: '/api/v1/tok2/attributes',
      options: [option(6, '')],
    });
    harness.peer.send(second);
    await harness.peer.expect('61450002c1606132ff7b7d');
    other.send(observe(2, { feature: 'rpc', token: 'b1' }));
    other.answer(await other.expect('4143....b160'));
    for (const listener of [...harness.core.listeners].slice(0, 1)) listener.sharedAttributes?.('{"n":1}');
    const { bytes } = await notification(harness.peer);
    for (const _ of [1, 2, 3, 4]) assert.deepEqual(await harness.peer.next(300), bytes);
    await harness.peer.expectSilence(500);
    assert.equal(harness.core.listeners.size, 1, 'the observation of the other peer stays open');
  });

  test('the end of an observation waits for the CON in flight', async () => {
    await using harness = await openObserving({ settings: { ackTimeoutMs: 100 } });
    harness.core.notifyAttributes('{"n":1}');
    const { bytes } = await notification(harness.peer);
    harness.core.endDevice();
    await harness.peer.expectSilence(50);
    harness.peer.answer(bytes);
    const end = await harness.peer.expect('4142....a160');
    assert.deepEqual(await harness.peer.next(300), end);
    harness.peer.answer(end);
    assert.equal(harness.core.listeners.size, 0);
    await harness.peer.expectSilence(400);
  });

  test('a restart drops the observation without notice', async () => {
    await using harness = await openObserving();
    harness.server.restart();
    assert.equal(harness.core.listeners.size, 0);
    harness.core.notifyAttributes('{"n":1}');
    await harness.peer.expectSilence(100);
    harness.peer.send(observe(1));
    await harness.peer.expect('61450001a1606132ff7b7d');
    assert.deepEqual(harness.core.duplicates, [], 'the restart forgot the message ID too');
  });

  test('beyond the limit the oldest observation is dropped', async () => {
    await using harness = await openObserving({ settings: { observationsMax: 1 } });
    harness.peer.send(observe(2, { feature: 'rpc', token: 'b1' }));
    harness.peer.answer(await harness.peer.expect('4143....b160'));
    assert.equal(harness.core.listeners.size, 1);
    await harness.peer.expectSilence(50);
  });

  test('a large notification comes in blocks', async () => {
    await using harness = await openObserving();
    const text = JSON.stringify({ text: 'x'.repeat(1500) });
    harness.core.notifyAttributes(text);
    const { bytes } = await notification(harness.peer);
    harness.peer.answer(bytes);
    assert.equal(optionHex(bytes, 'Block2'), '0e');
    const later = request('GET', {
      messageId: 9,
      path: '/api/v1/tok/attributes',
      options: [option(23, '16')],
    });
    harness.peer.send(later);
    const rest = (await harness.peer.next()) ?? Buffer.alloc(0);
    assert.equal(payloadText(bytes) + payloadText(rest), text);
  });
});

describe('observing RPC', { concurrency: true }, () => {
  const rpc = (messageId: number, type: 'CON' | 'NON' = 'CON') =>
    observe(messageId, { feature: 'rpc', type });

  test('an acknowledged RPC is delivered, a reset one is not', async () => {
    await using harness = await openCoapHarness();
    harness.peer.send(rpc(1));
    harness.peer.answer(await harness.peer.expect('4143....a160'));
    await harness.peer.settle();
    harness.core.command(0);
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 1 {"id":0}');
    harness.core.command(1);
    harness.peer.answer((await notification(harness.peer)).bytes, '7000');
    await harness.peer.settle();
    assert.deepEqual(harness.core.delivered, ['0 true', '1 false']);
  });

  test('pending RPCs follow the registration', async () => {
    await using harness = await openCoapHarness();
    harness.core.pending = [{ id: 3, json: '{"id":3}' }];
    harness.peer.send(rpc(1));
    const first = await harness.peer.expect('4143....a160');
    await harness.peer.expectSilence(50);
    harness.peer.answer(first);
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 1 {"id":3}');
  });

  test('a NON RPC counts as delivered when it is sent', async () => {
    await using harness = await openCoapHarness();
    harness.peer.send(rpc(1, 'NON'));
    await harness.peer.expect('5143....a160');
    harness.core.command(0);
    assert.equal((await notification(harness.peer)).text, '2.05 1 {"id":0}');
    assert.deepEqual(harness.core.delivered, ['0 true']);
  });

  test('a replaced or unacknowledged RPC is reported once as not delivered', async () => {
    await using harness = await openCoapHarness({ settings: { rpcAckMs: 150 } });
    harness.peer.send(rpc(1));
    harness.peer.answer(await harness.peer.expect('4143....a160'));
    await harness.peer.settle();
    for (const id of [0, 1, 2]) harness.core.command(id);
    assert.equal(await acknowledgedNotification(harness.peer), '2.05 1 {"id":0}');
    const late = await notification(harness.peer);
    assert.equal(late.text, '2.05 3 {"id":2}');
    assert.deepEqual(harness.core.delivered, ['0 true']);
    await harness.peer.expectSilence(250);
    harness.peer.answer(late.bytes);
    await harness.peer.settle();
    assert.deepEqual(harness.core.delivered, ['0 true', '1 false', '2 false']);
  });
});

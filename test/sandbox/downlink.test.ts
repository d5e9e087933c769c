/**
 * What an administrator sends to a device, from the admin port to a real socket and back: RPC and attributes
 * over CoAP and HTTP (contract sections 5, 6 and 8).
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { CoapPeer, codeOf, option, optionHex, payloadText, request } from './helpers/coap-peer.ts';
import { httpClient } from './helpers/http-client.ts';
import { waitForListener } from './helpers/http-harness.ts';
import { PROFILE } from './helpers/quick-core.ts';

type Call = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<readonly [status: number, value: unknown]>;

interface Harness extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly peer: CoapPeer;
  /** The admin port, and the HTTP device API; an empty body is undefined. */
  readonly admin: Call;
  readonly device: Call;
}

async function open(): Promise<Harness> {
  const knobs = { coreLatencyMinMs: 0, coreLatencyMaxMs: 0 };
  const sandbox = await openSandbox({ provisioning: PROFILE, knobs, rpcTimeoutMinMs: 1 });
  sandbox.core.admin.createDevice({ name: 'gw', token: 'tok' });
  const peer = await CoapPeer.open(sandbox.coapPort);
  return {
    sandbox,
    peer,
    admin: caller(sandbox.adminPort, '/devices/gw'),
    device: caller(sandbox.httpPort, '/api/v1/tok'),
    [Symbol.asyncDispose]: async () => {
      await peer[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

function caller(port: number, base: string): Call {
  const client = httpClient(port);
  return async (method, path, body) => {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await client({ method, path: base + path, ...text });
    return [answer.status, answer.body === '' ? undefined : JSON.parse(answer.body)];
  };
}

/** Observes and acknowledges the first response; its code. */
async function observe(
  { peer }: Harness,
  feature: 'attributes' | 'rpc',
  messageId: number,
  token = '0a',
): Promise<string> {
  const path = `/api/v1/tok/${feature}`;
  peer.send(request('GET', { messageId, token, path, options: [option(6, '')] }));
  const first = (await peer.next()) ?? Buffer.alloc(0);
  peer.answer(first);
  await peer.settle();
  return codeOf(first);
}

/** The next notification, acknowledged: its payload. */
async function notified({ peer }: Harness): Promise<unknown> {
  const notification = await peer.next();
  assert.ok(notification, 'no notification');
  peer.answer(notification);
  await peer.settle();
  return JSON.parse(payloadText(notification));
}

async function reply({ peer }: Harness, id: number, messageId: number): Promise<void> {
  peer.send(request('POST', { messageId, path: `/api/v1/tok/rpc/${id}`, payload: '{"ok":true}' }));
  const answer = (await peer.next()) ?? Buffer.alloc(0);
  assert.equal(codeOf(answer), '2.01');
  peer.answer(answer);
}

const REPLIED = [200, { status: 'replied', id: 0, reply: '{"ok":true}' }] as const;

describe('an RPC over CoAP', () => {
  it('a two-way RPC returns the reply of the device to its sender', async () => {
    await using harness = await open();
    assert.equal(await observe(harness, 'rpc', 1), '2.03');
    const sending = harness.admin('POST', '/rpc', { method: 'reboot', params: { delay: 5 } });
    assert.deepEqual(await notified(harness), { id: 0, method: 'reboot', params: { delay: 5 } });
    await reply(harness, 0, 2);
    assert.deepEqual(await sending, REPLIED);
  });

  it('a one-way RPC returns when it is sent; if it is lost, it is not sent again', async () => {
    await using harness = await open();
    await observe(harness, 'rpc', 1);
    const sending = harness.admin('POST', '/rpc', { method: 'ping', oneWay: true });
    const lost = (await harness.peer.next()) ?? Buffer.alloc(0);
    assert.equal(payloadText(lost), '{"id":0,"method":"ping","params":null}');
    assert.deepEqual(await sending, [200, { status: 'sent', id: 0 }]);
    await using other = await CoapPeer.open(harness.sandbox.coapPort);
    await observe({ ...harness, peer: other }, 'rpc', 1, '0c');
    await other.expectSilence(100);
  });

  it('a two-way RPC without a reply returns 504 at its timeout', async () => {
    await using harness = await open();
    await observe(harness, 'rpc', 1);
    const sending = harness.admin('POST', '/rpc', { method: 'reboot', timeoutMs: 50 });
    await notified(harness);
    const error = 'the device did not answer in time';
    assert.deepEqual(await sending, [504, { error, status: 'timeout', id: 0 }]);
    await reply(harness, 0, 2);
  });

  it('an RPC without an observation waits for one, or returns 504', async () => {
    await using harness = await open();
    const error = 'the device did not ask for commands in time';
    assert.deepEqual(await harness.admin('POST', '/rpc', { method: 'reboot', timeoutMs: 20 }), [
      504,
      { error, status: 'no-subscription', id: 0 },
    ]);
    const sending = harness.admin('POST', '/rpc', { method: 'later' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await observe(harness, 'rpc', 1);
    assert.deepEqual(await notified(harness), { id: 1, method: 'later', params: null });
    await reply(harness, 1, 2);
    assert.equal((await sending)[0], 200);
  });

  it('an RPC without a reply is sent again with its ID to a new registration', async () => {
    await using harness = await open();
    await observe(harness, 'rpc', 1);
    const sending = harness.admin('POST', '/rpc', { method: 'reboot' });
    await notified(harness);
    await using other = await CoapPeer.open(harness.sandbox.coapPort);
    const elsewhere = { ...harness, peer: other };
    await observe(elsewhere, 'rpc', 1, '0c');
    assert.deepEqual(await notified(elsewhere), { id: 0, method: 'reboot', params: null });
    await reply(elsewhere, 0, 2);
    assert.deepEqual(await sending, REPLIED);
    const ended = (await harness.peer.next()) ?? Buffer.alloc(0);
    assert.deepEqual([codeOf(ended), optionHex(ended, 'Observe')], ['2.02', '']);
  });
});

describe('an RPC over HTTP', () => {
  it('a two-way RPC returns the reply of the device to its sender', async () => {
    await using harness = await open();
    const polling = harness.device('GET', '/rpc?timeout=5000');
    await waitForListener(harness.sandbox.core, 'gw');
    const sending = harness.admin('POST', '/rpc', { method: 'reboot', params: [1] });
    assert.deepEqual(await polling, [200, { id: 0, method: 'reboot', params: [1] }]);
    assert.deepEqual(await harness.device('POST', '/rpc/0', { ok: true }), [200, undefined]);
    assert.deepEqual(await sending, REPLIED);
  });

  it('a one-way RPC returns when a poll gets it; the next poll gets 408', async () => {
    await using harness = await open();
    const sending = harness.admin('POST', '/rpc', { method: 'ping', oneWay: true });
    assert.deepEqual(await harness.device('GET', '/rpc?timeout=5000'), [
      200,
      { id: 0, method: 'ping', params: null },
    ]);
    assert.deepEqual(await sending, [200, { status: 'sent', id: 0 }]);
    assert.deepEqual(await harness.device('GET', '/rpc?timeout=20'), [408, undefined]);
  });

  it('an RPC that came over CoAP can be answered over HTTP', async () => {
    await using harness = await open();
    await observe(harness, 'rpc', 1);
    const sending = harness.admin('POST', '/rpc', { method: 'reboot' });
    await notified(harness);
    await harness.device('POST', '/rpc/0', { ok: true });
    assert.deepEqual(await sending, REPLIED);
  });
});

describe('attributes from the admin port to the device', () => {
  it('written and deleted shared attributes reach an observation, a poll and a read', async () => {
    await using harness = await open();
    await harness.admin('PUT', '/attributes', { period: 60, name: 'x' });
    assert.equal(await observe(harness, 'attributes', 1), '2.05');
    const polling = harness.device('GET', '/attributes/updates?timeout=5000');
    await waitForPoll(harness);
    await harness.admin('PUT', '/attributes', { period: 61 });
    assert.deepEqual(await notified(harness), { period: 61 });
    assert.deepEqual(await polling, [200, { period: 61 }]);
    await harness.admin('DELETE', '/attributes?keys=name,never');
    assert.deepEqual(await notified(harness), { deleted: ['name', 'never'] });
    assert.deepEqual(await harness.device('GET', '/attributes'), [200, { shared: { period: 61 } }]);
  });

  it('client attributes over CoAP and HTTP are one scope, apart from the shared one', async () => {
    await using harness = await open();
    await harness.admin('PUT', '/attributes', { version: 'shared' });
    const path = '/api/v1/tok/attributes';
    harness.peer.send(request('POST', { messageId: 1, path, payload: '{"version":"a","serial":"007"}' }));
    harness.peer.answer((await harness.peer.next()) ?? Buffer.alloc(0));
    assert.deepEqual(await harness.device('POST', '/attributes', { version: 'b' }), [200, undefined]);
    assert.deepEqual(await harness.device('GET', '/attributes'), [
      200,
      { client: { version: 'b', serial: 7 }, shared: { version: 'shared' } },
    ]);
    const [device] = harness.sandbox.devices();
    assert.deepEqual(device?.attributes.client, { version: 'b', serial: 7 });
  });
});

async function waitForPoll({ sandbox }: Harness): Promise<void> {
  while ((sandbox.devices()[0]?.listeners ?? 0) < 2) await new Promise((resolve) => setImmediate(resolve));
}

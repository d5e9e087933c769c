/** The admin port, endpoint by endpoint. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import { openAdmin } from '../../../src/sandbox/http/admin.ts';
import { ADMIN_ENDPOINTS } from '../../../src/sandbox/http/admin-endpoints.ts';
import { type HttpCall, httpClient } from '../helpers/http-client.ts';
import { handleOf, openQuickCore } from '../helpers/quick-core.ts';

interface Answer {
  readonly status: number;
  readonly value: unknown;
}

interface AdminHarness extends AsyncDisposable {
  readonly core: SandboxCoreWithAdmin;
  readonly restarts: () => number;
  call(method: string, path: string, body?: unknown, headers?: HttpCall['headers']): Promise<Answer>;
}

async function openHarness(): Promise<AdminHarness> {
  const core = openQuickCore({ rpcTimeoutMinMs: 1, generateToken: () => 'minted' });
  let restarts = 0;
  const restart = (): void => {
    restarts += 1;
  };
  const server = await openAdmin({ admin: core.admin, restart, port: 0, log: (line) => console.error(line) });
  const client = httpClient(server.port);
  return {
    core,
    restarts: () => restarts,
    call: async (method, path, body, headers = {}) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const answer = await client({ method, path, headers, ...(body === undefined ? {} : { body: text }) });
      assert.equal(answer.contentType, 'application/json');
      return { status: answer.status, value: JSON.parse(answer.body) };
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      core.close();
    },
  };
}

/** Posts telemetry like a device. */
async function post(core: SandboxCoreWithAdmin, token: string, body: string): Promise<void> {
  await core.telemetry(await handleOf(core, token), body, 'coap');
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

describe('the admin port', () => {
  it('GET / lists all endpoints', async () => {
    await using harness = await openHarness();
    const { status, value } = await harness.call('GET', '/');
    assert.equal(status, 200);
    const lines = member(value, 'endpoints');
    assert.ok(Array.isArray(lines));
    assert.equal(lines.length, ADMIN_ENDPOINTS.length);
    assert.ok(lines.some((line) => String(line).startsWith('POST /devices/NAME/rpc: ')));
  });

  it('POST /devices creates a device with a given or a random token', async () => {
    await using harness = await openHarness();
    const created = await harness.call('POST', '/devices', { name: 'gw 1', token: 'tok' });
    assert.equal(created.status, 201);
    assert.equal(member(created.value, 'token'), 'tok');
    await harness.call('POST', '/devices', { name: 'gw-2' });
    const { value } = await harness.call('GET', '/devices');
    assert.ok(Array.isArray(value));
    assert.deepEqual(
      value.map((device) => [member(device, 'name'), member(device, 'token')]),
      [
        ['gw 1', 'tok'],
        ['gw-2', 'minted'],
      ],
    );
  });

  it('POST /devices rejects a name or token in use', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw', token: 'tok' });
    assert.deepEqual(await harness.call('POST', '/devices', { name: 'gw', token: 'other' }), {
      status: 400,
      value: { error: 'a device of that name exists' },
    });
    assert.deepEqual(await harness.call('POST', '/devices', { name: 'gw2', token: 'tok' }), {
      status: 400,
      value: { error: 'the credentials are used by another device' },
    });
  });

  it('DELETE /devices accepts an escaped name', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw / 1' });
    assert.equal((await harness.call('DELETE', '/devices/gw%20%2F%201')).status, 200);
    assert.deepEqual(harness.core.devices(), []);
  });

  it('POST revoke replaces the token', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw', token: 'old' });
    const { value } = await harness.call('POST', '/devices/gw/revoke');
    assert.equal(member(value, 'token'), 'minted');
    assert.deepEqual(await harness.core.checkToken('old'), { status: 'unauthorized' });
  });

  it('PUT certificate replaces the token by a certificate that no other device has', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw', token: 'old' });
    await harness.call('POST', '/devices', { name: 'other' });
    const certificate = '-----BEGIN CERTIFICATE-----\nTUlJ\r\nQg==\n-----END CERTIFICATE-----\n';
    const { value } = await harness.call('PUT', '/devices/gw/certificate', { certificate });
    assert.equal(member(value, 'credentialsType'), 'X509_CERTIFICATE');
    assert.equal((await harness.core.checkToken('old')).status, 'unauthorized');
    assert.equal((await harness.core.checkCertificate('TUlJQg==')).status, 'ok');
    assert.equal((await harness.core.checkCertificate('TUlJ')).status, 'unauthorized');
    assert.equal((await harness.call('PUT', '/devices/other/certificate', { certificate })).status, 400);
    assert.equal((await harness.call('PUT', '/devices/gw/certificate', { certificate: '?' })).status, 400);
  });

  it('writing and deleting shared attributes notifies the device', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw', token: 'tok' });
    const notified: string[] = [];
    harness.core.subscribe(await handleOf(harness.core, 'tok'), {
      sharedAttributes: (json) => notified.push(json),
    });
    assert.equal((await harness.call('PUT', '/devices/gw/attributes', { a: 1, b: 'x' })).status, 200);
    assert.equal((await harness.call('DELETE', '/devices/gw/attributes?keys=a,b')).status, 200);
    assert.deepEqual(notified, ['{"a":1,"b":"x"}', '{"deleted":["a","b"]}']);
    assert.equal((await harness.call('DELETE', '/devices/gw/attributes?keys=a')).status, 400);
    assert.equal((await harness.call('DELETE', '/devices/gw/attributes')).status, 400);
    assert.equal((await harness.call('PUT', '/devices/gw/attributes', [1])).status, 400);
  });

  it('POST rpc sends an RPC and returns its reply', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw', token: 'tok' });
    const device = await handleOf(harness.core, 'tok');
    harness.core.subscribe(device, {
      rpc: ({ id }) => {
        harness.core.rpcDelivered(device, id, true);
        void harness.core.rpcReply(device, id, '{"ok":true}', 'coap');
      },
    });
    const answer = await harness.call('POST', '/devices/gw/rpc', { method: 'reboot', params: { delay: 5 } });
    assert.deepEqual(answer, { status: 200, value: { status: 'replied', id: 0, reply: '{"ok":true}' } });
  });

  it('POST rpc returns 504 without a subscription', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw' });
    const answer = await harness.call('POST', '/devices/gw/rpc', { method: 'reboot', timeoutMs: 1 });
    assert.equal(answer.status, 504);
    assert.equal(member(answer.value, 'status'), 'no-subscription');
  });

  it('POST clear-provision-state allows provisioning again', async () => {
    await using harness = await openHarness();
    await harness.core.provision('{provisionDeviceKey:pk1,provisionDeviceSecret:ps1,deviceName:gw}', 'coap');
    assert.deepEqual(harness.core.admin.devices()[0]?.attributes.server, { provisionState: 'provisioned' });
    await harness.call('POST', '/devices/gw/clear-provision-state');
    assert.deepEqual(harness.core.admin.devices()[0]?.attributes.server, {});
  });

  it('GET /points filters by device, key, time and limit', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw', token: 'tok' });
    await post(
      harness.core,
      'tok',
      '[{"ts":1,"values":{"a":1,"b":1}},{"ts":2,"values":{"a":2}},{"ts":3,"values":{"a":3}}]',
    );
    const { value } = await harness.call('GET', '/points?device=gw&key=a&since=2&limit=1');
    assert.ok(Array.isArray(value));
    assert.deepEqual(
      value.map((point) => [member(point, 'key'), member(point, 'ts')]),
      [['a', 3]],
    );
    const bad = await harness.call('GET', '/points?since=yesterday');
    assert.deepEqual(bad, {
      status: 400,
      value: { error: 'since: "yesterday" is not a whole number of 0 or more' },
    });
    assert.equal((await harness.call('GET', '/points?colour=red')).status, 400);
  });

  it('GET /duplicates and GET /stats show counters', async () => {
    await using harness = await openHarness();
    await harness.call('POST', '/devices', { name: 'gw', token: 'tok' });
    for (const _ of [1, 2]) await post(harness.core, 'tok', '{"ts":1,"values":{"a":1}}');
    harness.core.recordDuplicateDatagram('MID 7');
    const duplicates = (await harness.call('GET', '/duplicates')).value;
    assert.deepEqual(member(duplicates, 'datagrams'), ['MID 7']);
    assert.equal(member(member(member(duplicates, 'points'), '0'), 'equal'), true);
    const stats = (await harness.call('GET', '/stats')).value;
    assert.equal(member(stats, 'devices'), 1);
    assert.equal(member(member(stats, 'points'), 'stored'), 2);
    assert.equal(member(member(member(stats, 'perDevice'), 'gw'), 'lastTs'), 1);
  });

  it('PATCH /knobs sets knobs and names an invalid one', async () => {
    await using harness = await openHarness();
    const updated = await harness.call('PATCH', '/knobs', { silent: true });
    assert.equal(member(updated.value, 'silent'), true);
    assert.deepEqual((await harness.call('GET', '/knobs')).value, updated.value);
    assert.deepEqual(await harness.call('PATCH', '/knobs', { lossIn: 2 }), {
      status: 400,
      value: { error: 'lossIn: 2 is not a share from 0 to 1' },
    });
    assert.equal((await harness.call('PATCH', '/knobs')).status, 400);
  });

  it('POST /restart restarts the sandbox', async () => {
    await using harness = await openHarness();
    assert.deepEqual(await harness.call('POST', '/restart'), { status: 200, value: { restarted: true } });
    assert.equal(harness.restarts(), 1);
  });
});

describe('the admin port rejects with a sentence', () => {
  const rejected: readonly (readonly [
    method: string,
    path: string,
    body: unknown,
    status: number,
    expected: RegExp,
  ])[] = [
    ['GET', '/nope', undefined, 404, /GET \/ lists/],
    ['PUT', '/knobs', {}, 405, /^this path takes GET, PATCH$/],
    ['GET', '/devices/gw', undefined, 405, /DELETE/],
    ['GET', '/%zz', undefined, 400, /path/],
    ['POST', '/devices', '{', 400, /not JSON/],
    ['POST', '/devices', {}, 400, /^name: is missing$/],
    [
      'POST',
      '/devices',
      { name: 7, colour: 1 },
      400,
      /^name: 7 is not a text.*; colour: there is no such member/,
    ],
    ['POST', '/devices', [], 400, /must be a JSON object/],
    ['POST', '/devices', { name: ' ' }, 400, /^the name is blank$/],
    ['DELETE', '/devices/nobody', undefined, 404, /^there is no device "nobody"$/],
    ['POST', '/devices/nobody/revoke', undefined, 404, /nobody/],
    ['POST', '/devices/nobody/rpc', { method: 'x' }, 404, /nobody/],
    ['POST', '/devices/nobody/rpc', { method: 'x', timeoutMs: 0 }, 400, /^timeoutMs: 0 is not a number/],
    ['PUT', '/devices/nobody/attributes', { a: 1 }, 404, /nobody/],
    ['POST', '/devices/nobody/clear-provision-state', undefined, 404, /nobody/],
  ];
  for (const [method, path, body, status, expected] of rejected) {
    it(`rejects ${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`, async () => {
      await using harness = await openHarness();
      const answer = await harness.call(method, path, body);
      assert.equal(answer.status, status);
      assert.match(String(member(answer.value, 'error')), expected);
    });
  }

  it('rejects a request of a web page', async () => {
    await using harness = await openHarness();
    const answer = await harness.call('GET', '/devices', undefined, { Origin: 'http://example.com' });
    assert.equal(answer.status, 403);
  });
});

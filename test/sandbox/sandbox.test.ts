/** The sandbox as a whole: its ports, its restart and its data file. */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KnobError } from '../../src/sandbox/core/knobs.ts';
import { openSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { httpClient } from './helpers/http-client.ts';
import { waitForListener } from './helpers/http-harness.ts';
import { settlePromises } from './helpers/manual-clock.ts';
import { PROFILE, provisionBody, TOKEN } from './helpers/quick-core.ts';

/** The contract's golden example T1: a confirmable telemetry post with one point. */
const T1_TELEMETRY = Buffer.from(
  '420210025a01b36170690276310d07734c7a63306744415a506b474d7a4656547955590974656c656d657472791132ff' +
    '7b227473223a313730303030303030303030302c2276616c756573223a7b22637075223a31322e357d7d',
  'hex',
);

async function openSocket() {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    send: (datagram: Buffer, port: number) => socket.send(datagram, port, '127.0.0.1'),
    received: async (): Promise<Buffer> => {
      const [datagram] = await once(socket, 'message');
      assert.ok(Buffer.isBuffer(datagram));
      return datagram;
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sandbox-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function open(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const knobs = { coreLatencyMinMs: 0, coreLatencyMaxMs: 0 };
  return openSandbox({ provisioning: PROFILE, knobs, ...options });
}

function ports({ coapPort, httpPort, adminPort }: Sandbox): readonly number[] {
  return [coapPort, httpPort, adminPort];
}

describe('the sandbox', () => {
  it('a device provisions, posts and appears on the admin port', async () => {
    await using sandbox = await open();
    const device = httpClient(sandbox.httpPort);
    const body = provisionBody({ deviceName: 'gw', token: 'tok' });
    await device({ method: 'POST', path: '/api/v1/provision', body });
    await device({ method: 'POST', path: '/api/v1/tok/telemetry', body: '{"a":1}' });
    const response = await httpClient(sandbox.adminPort)({ method: 'GET', path: '/points' });
    assert.deepEqual(JSON.parse(response.body), sandbox.points());
    assert.equal(sandbox.points({ device: 'gw', key: 'a' }).length, 1);
    assert.equal(sandbox.stats().points.stored, 1);
    assert.deepEqual(sandbox.duplicates(), { points: [], datagrams: [] });
  });

  it('setKnobs applies to all ports and throws for an invalid knob', async () => {
    await using sandbox = await open();
    sandbox.setKnobs({ strategy: 'disabled' });
    assert.equal(sandbox.core.knobs.strategy, 'disabled');
    assert.throws(() => sandbox.setKnobs({ lossIn: 2 }), KnobError);
  });

  it('a restart from the admin port keeps devices and points', async () => {
    await using sandbox = await open();
    sandbox.core.admin.createDevice({ name: 'gw', token: 'tok' });
    const device = httpClient(sandbox.httpPort);
    await device({ method: 'POST', path: '/api/v1/tok/telemetry', body: '{"a":1}' });
    await httpClient(sandbox.adminPort)({ method: 'POST', path: '/restart' });
    assert.equal((await device({ method: 'GET', path: '/api/v1/tok/attributes' })).status, 200);
    assert.equal(sandbox.points().length, 1);
  });

  it('a restart loses open RPCs and closes long polls', async () => {
    await using sandbox = await open();
    sandbox.core.admin.createDevice({ name: 'gw', token: 'tok' });
    const polling = httpClient(sandbox.httpPort)({ method: 'GET', path: '/api/v1/tok/attributes/updates' });
    const cut = assert.rejects(polling);
    await waitForListener(sandbox.core, 'gw');
    const sending = sandbox.core.admin.sendRpc('gw', { method: 'reboot' });
    await settlePromises();
    sandbox.restart();
    await cut;
    assert.deepEqual(await sending, { ok: true, value: { status: 'failed', id: 0 } });
  });

  it('a restart forgets message IDs, so a duplicate is processed again', async () => {
    await using sandbox = await open();
    sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN });
    await using socket = await openSocket();
    const post = async (): Promise<Buffer> => {
      socket.send(T1_TELEMETRY, sandbox.coapPort);
      return socket.received();
    };
    const created = await post();
    socket.send(Buffer.from([0x60, 0x00, ...created.subarray(2, 4)]), sandbox.coapPort);
    assert.equal((await post()).toString('hex'), '60001002');
    assert.equal(sandbox.points().length, 1);
    sandbox.restart();
    await post();
    assert.equal(sandbox.points().length, 2);
    assert.equal(sandbox.duplicates().datagrams.length, 1);
  });

  it('a port in use is named in the error, and all others are closed', async () => {
    await using blocked = await blockPort();
    await assert.rejects(open({ adminPort: blocked.port }), {
      code: 'PORT_UNAVAILABLE',
      message: new RegExp(`admin port ${blocked.port}`),
    });
  });

  it('the sandbox does not open with an invalid knob', async () => {
    await assert.rejects(open({ knobs: { lossIn: 2 } }), KnobError);
  });
});

describe('the data file', () => {
  it('the data file restores devices, tokens, attributes and ports', async () => {
    await using directory = await temporaryDirectory();
    const dataFile = join(directory.path, 'state', 'sandbox.json');
    const first = await open({ dataFile });
    const { admin } = first.core;
    admin.createDevice({ name: 'gw', token: 'tok' });
    admin.setSharedAttributes('gw', '{"a":9223372036854775807,"b":"x","c":{"d":null},"e":1.0}');
    const before = [first.devices(), ports(first)];
    await first[Symbol.asyncDispose]();
    await using second = await open({ dataFile });
    assert.deepEqual([second.devices(), ports(second)], before);
    assert.equal((await second.core.checkToken('tok')).status, 'ok');
  });

  it('the data file is readable only by its owner', async () => {
    await using directory = await temporaryDirectory();
    const dataFile = join(directory.path, 'sandbox.json');
    await writeFile(dataFile, '{"version":1,"devices":[]}', { mode: 0o644 });
    // As after a power cut.
    await writeFile(`${dataFile}.tmp`, '{', { mode: 0o644 });
    const sandbox = await open({ dataFile });
    await sandbox[Symbol.asyncDispose]();
    assert.equal((await stat(dataFile)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(directory.path), ['sandbox.json']);
  });

  it('the data file contains deletions and new tokens', async () => {
    await using directory = await temporaryDirectory();
    const dataFile = join(directory.path, 'sandbox.json');
    const first = await open({ dataFile });
    first.core.admin.createDevice({ name: 'kept', token: 'old' });
    first.core.admin.createDevice({ name: 'gone' });
    first.core.admin.deleteDevice('gone');
    first.core.admin.revokeToken('kept');
    const before = first.devices();
    await first[Symbol.asyncDispose]();
    await using second = await open({ dataFile });
    assert.deepEqual(second.devices(), before);
    assert.equal((await second.core.checkToken('old')).status, 'unauthorized');
  });

  it('a previous port in use is replaced by another one', async () => {
    await using directory = await temporaryDirectory();
    await using blocked = await blockPort();
    const dataFile = join(directory.path, 'sandbox.json');
    await writeFile(
      dataFile,
      JSON.stringify({
        version: 1,
        devices: [],
        ports: { coap: 1, http: blocked.port, admin: blocked.port },
      }),
    );
    const lines: string[] = [];
    await using sandbox = await open({ dataFile, log: (line) => lines.push(line) });
    assert.notEqual(sandbox.httpPort, blocked.port);
    assert.ok(
      lines.some((line) => line === `the previous HTTP port ${blocked.port} is in use: taking another one`),
    );
  });

  const invalid: readonly (readonly [what: string, text: string])[] = [
    ['that is truncated', '{"version":1,"devices":[{"na'],
    ['that is empty', ''],
    ['of a later version', '{"version":2,"devices":[]}'],
    ['with half a device', '{"version":1,"devices":[{"id":"x","name":"gw"}]}'],
    ["with half of a device's attributes", fileWith({ client: [], server: [] })],
    [
      'with an attribute that has no type',
      fileWith({ client: [['a', { value: 1 }]], shared: [], server: [] }),
    ],
  ];
  for (const [what, text] of invalid) {
    it(`a data file ${what} is renamed, and the sandbox starts without devices`, async () => {
      await using directory = await temporaryDirectory();
      const dataFile = join(directory.path, 'sandbox.json');
      await writeFile(dataFile, text);
      const lines: string[] = [];
      await using sandbox = await open({ dataFile, log: (line) => lines.push(line) });
      assert.deepEqual(sandbox.devices(), []);
      assert.equal(await readFile(`${dataFile}.unreadable`, 'utf8'), text);
      assert.match(lines[0] ?? '', /is damaged or of a later version/);
    });
  }
});

function fileWith(attributes: unknown): string {
  const credentials = { type: 'ACCESS_TOKEN', token: 'tok' };
  const device = {
    id: 'x',
    name: 'gw',
    profile: 'default',
    gateway: false,
    createdAtMs: 1,
    credentials,
    attributes,
  };
  return JSON.stringify({ version: 1, devices: [device] });
}

async function blockPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

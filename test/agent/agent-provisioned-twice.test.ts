/**
 * A server that answers each provisioning request of a pre-provisioned device with SUCCESS and the same token, as some versions
 * of ThingsBoard do: after a lost response, the gateway takes the token of the next one.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { runAgent } from '../../src/agent/agent.ts';
import type { Transport } from '../../src/core/ports/transport.ts';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { PacedTransport } from '../doubles/paced-transport.ts';
import { ack, ScriptedPeer } from '../transport/coap/helpers/scripted-peer.ts';
import { AgentHarness, portsOf } from './agent-harness.ts';

const TOKEN = 'TokenOfTheDeviceInTB';
const SUCCESS = `{"credentialsValue":"${TOKEN}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}`;

/** The server has provisioned the device at the first request, but its core answered too late: an internal error. */
class Server {
  provisions = 0;
  /** Telemetry with the token of the device. */
  posts = 0;

  /** The status as a CoAP code, and the body. */
  answer(method: string, path: string): readonly [code: string, body: string] {
    if (path === '/api/v1/provision') {
      if (method === 'GET') return ['4.00', ''];
      this.provisions += 1;
      return this.provisions === 1 ? ['5.00', ''] : ['2.01', SUCCESS];
    }
    if (!path.startsWith(`/api/v1/${TOKEN}/`)) return ['4.01', ''];
    if (method === 'POST') this.posts += 1;
    return method === 'POST' ? ['2.01', ''] : ['2.05', '{}'];
  }
}

type Harness = Pick<AgentHarness, 'clock' | 'log'>;
type Opened = { readonly transport: Transport; readonly close: () => unknown };

async function openHttp(server: Server, { clock, log }: Harness): Promise<Opened> {
  const statuses: Readonly<Record<string, number>> = { '2.01': 200, '2.05': 200, '4.01': 401, '5.00': 500 };
  const notSupported = '{"message":"m","errorCode":31,"status":405,"timestamp":1}';
  const http = createServer((request, response) => {
    request.resume().on('end', () => {
      const [path = ''] = (request.url ?? '').split('?');
      const [code, body] = server.answer(request.method ?? '', path);
      const isIdentification = code === '4.00';
      response.writeHead(isIdentification ? 405 : (statuses[code] ?? 500));
      response.end(isIdentification ? notSupported : body);
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const transport = new HttpTransport(
    { scheme: 'http', host: '127.0.0.1', port, tls: { pins: [] }, userAgent: 'firstlight/test' },
    { clock, log },
  );
  return { transport, close: () => http.close().closeAllConnections() };
}

async function openCoap(server: Server, { clock }: Harness): Promise<Opened> {
  const peer = await ScriptedPeer.open((request, send) => {
    const path = request.options
      .filter(({ name }) => name === 'Uri-Path')
      .map(({ value }) => value.toString());
    const method = request.code === '0.01' ? 'GET' : 'POST';
    const [code, body] = server.answer(method, `/${path.join('/')}`);
    send(ack(request, code, body));
  });
  const ports = { clock, random: { uniform: () => 0 } };
  const transport = new CoapTransport({ host: '127.0.0.1', port: peer.port }, ports);
  return { transport, close: () => peer[Symbol.asyncDispose]() };
}

for (const [scheme, open] of [
  ['coap', openCoap],
  ['http', openHttp],
] as const) {
  for (const deviceGenerated of [true, false]) {
    const mode = deviceGenerated ? 'device-generated' : 'server-generated';
    test(`SUCCESS with the same token again is taken: ${scheme}, ${mode}`, {
      timeout: 30_000,
    }, async () => {
      const server = new Server();
      const harness = new AgentHarness();
      const { transport, close } = await open(server, harness);
      await using paced = new PacedTransport(transport, harness.clock);
      const { pair } = harness.settings;
      const settings = { ...harness.settings, ...(pair && { pair: { ...pair, deviceGenerated } }) };
      const running = runAgent({ ...portsOf(harness), transport: paced }, settings, harness.stop.signal);
      await paced.advance(10 * 60_000);
      harness.stop.abort();
      await paced.advance(1_000);
      await running;
      await close();
      assert.equal(server.provisions, 2);
      assert.ok(server.posts > 10, `${server.posts}`);
      const { record } = harness.store;
      assert.deepEqual([record?.state, record?.token?.reveal()], ['provisioned', TOKEN]);
    });
  }
}

/**
 * The CoAP client against an independent server: libcoap's `coap-server`, over IPv4 and IPv6.
 * Skipped if it is not installed (Debian package libcoap3-bin).
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { CoapClient } from '../../../src/transport/coap/client.ts';
import type { CoapRequest } from '../../../src/transport/coap/library-requests.ts';
import { MessageLayer } from '../../../src/transport/coap/message-layer.ts';
import { retransmissionTiming } from '../../../src/transport/coap/retransmission-timing.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { freeUdpPort } from '../../free-port.ts';

const PROGRAM = ['coap-server-notls', 'coap-server-openssl', 'coap-server'].find(
  (name) => spawnSync(name, ['-V']).error === undefined,
);
const skip = PROGRAM ? false : 'libcoap is not installed (apt-get install libcoap3-bin)';
const { signal } = new AbortController();

interface ForeignServer extends AsyncDisposable {
  readonly port: number;
}

async function startServer(...options: string[]): Promise<ForeignServer> {
  const port = await freeUdpPort('::');
  const server: ChildProcess = spawn(PROGRAM ?? '', ['-p', String(port), ...options], {
    stdio: 'ignore',
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.kill('SIGKILL');
      await closed;
    },
  };
}

/** Repeats the request until the server has opened its port. */
async function requestFrom(
  server: ForeignServer,
  request: Omit<CoapRequest, 'policy'>,
  address = '127.0.0.1',
) {
  for (;;) {
    const opened = await MessageLayer.open(
      { address, family: address.includes(':') ? 6 : 4, port: server.port },
      hostClock(),
    );
    assert.ok(opened.ok);
    await using guard = opened.value;
    const result = await new CoapClient(guard).request(
      { ...request, policy: 'retryable' },
      retransmissionTiming('retryable', 0),
      signal,
    );
    if (result.ok)
      return { code: result.value.code, body: result.value.body.toString(), whole: result.value.isComplete };
    assert.equal(result.failure.reason, 'port-closed');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

for (const address of ['127.0.0.1', '::1']) {
  test(`libcoap responds to a GET over ${address}`, { skip, timeout: 20_000 }, async () => {
    await using server = await startServer();
    const answer = await requestFrom(server, { method: 'GET', path: [] }, address);
    assert.equal(answer.code, '2.05');
    assert.match(answer.body, /libcoap/);
  });
}

test('a separate response of libcoap is accepted and acknowledged', {
  skip,
  timeout: 20_000,
}, async () => {
  await using server = await startServer();
  const answer = await requestFrom(server, { method: 'GET', path: ['async'], query: '1' });
  assert.deepEqual(answer, { code: '2.05', body: 'done', whole: true });
});

test('a response of libcoap arrives although half of its datagrams are lost', {
  skip,
  timeout: 120_000,
}, async () => {
  await using server = await startServer('-l', '1,3');
  assert.equal((await requestFrom(server, { method: 'GET', path: [] })).code, '2.05');
});

test('responses of a server other than ThingsBoard are unexpected-response', {
  skip,
  timeout: 20_000,
}, async () => {
  await using server = await startServer();
  await requestFrom(server, { method: 'GET', path: [] });
  const ports = { clock: hostClock(), random: { uniform: () => 0 } };
  await using transport = new CoapTransport({ host: '127.0.0.1', port: server.port }, ports);
  const token = new Secret('sLzc0gDAZPkGMzFVTyUY');
  const answers = [
    await transport.postTelemetry(token, '[{"ts":1,"values":{"a":1}}]', signal),
    await transport.probe(token, signal),
    await transport.provision(
      { deviceName: 'gw', key: 'k', secret: new Secret('s') },
      async () => assert.fail('persisted'),
      signal,
    ),
  ];
  assert.deepEqual(
    answers.map((answer) => (answer.ok ? 'believed' : answer.failure.reason)),
    Array(3).fill('unexpected-response'),
  );
});

/** What the transports of the configuration send beside the request itself. */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openEndpoint, warnOfHelper } from '../../src/app/transport.ts';
import { Secret } from '../../src/core/model/secret.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { hostRandom } from '../../src/host/random.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';

test('each HTTP request has a plain User-Agent, and no header that filters dislike', async () => {
  const seen: NodeJS.Dict<string | string[]>[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    request.resume().on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const ports = { clock: hostClock(), random: hostRandom(), log: new RecordingLogger() };
  await using endpoint = await openEndpoint(
    { scheme: 'http', host: '127.0.0.1', port, url },
    { endpoints: [{ scheme: 'http', host: '127.0.0.1', port, url }], spreadMs: 0, tls: { pins: [] } },
    ports,
  );
  const { signal } = new AbortController();
  const token = new Secret('sLzc0gDAZPkGMzFVTyUY');
  await endpoint.postTelemetry(token, '[{"ts":1,"values":{"a":1}}]', signal);
  await endpoint.probe(token, signal);
  server.close();
  server.closeAllConnections();
  assert.equal(seen.length, 2);
  for (const headers of seen) {
    assert.match(String(headers['user-agent']), /^firstlight\/\d+\.\d+\.\d+$/);
    const allowed = ['host', 'user-agent', 'content-type', 'content-length', 'connection'];
    assert.deepEqual(
      Object.keys(headers).filter((name) => !allowed.includes(name)),
      [],
    );
  }
});

/** Runs `open` on a host without the program of coaps. */
async function withoutHelper<T>(open: () => Promise<T>): Promise<T> {
  const named = process.env['FIRSTLIGHT_DTLS'];
  process.env['FIRSTLIGHT_DTLS'] = '/nowhere/firstlight-dtls';
  try {
    return await open();
  } finally {
    if (named === undefined) delete process.env['FIRSTLIGHT_DTLS'];
    else process.env['FIRSTLIGHT_DTLS'] = named;
  }
}

test('coaps behind another endpoint reports at the start that its program is missing', async () => {
  const endpointOf = (scheme: 'https' | 'coaps') =>
    ({ scheme, host: '127.0.0.1', port: 1, url: `${scheme}://127.0.0.1:1` }) as const;
  const [https, coaps] = [endpointOf('https'), endpointOf('coaps')];
  for (const [endpoints, expected] of [
    [[https, coaps], ['FL-DTLS-UNAVAILABLE']],
    [[https], []],
    // Its first request reports it.
    [[coaps, https], []],
  ] as const) {
    const log = new RecordingLogger();
    await withoutHelper(() => warnOfHelper(endpoints, { clock: hostClock(), random: hostRandom(), log }));
    assert.deepEqual(log.events, expected);
  }
});

test('coaps without its program sends nothing in plaintext', async () => {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  let received = 0;
  server.on('message', () => {
    received += 1;
  });
  const { port } = server.address();
  const url = `coaps://127.0.0.1:${port}`;
  const endpoint = { scheme: 'coaps', host: '127.0.0.1', port, url } as const;
  const ports = { clock: hostClock(), random: hostRandom(), log: new RecordingLogger() };
  await using transport = await withoutHelper(() =>
    openEndpoint(endpoint, { endpoints: [endpoint], spreadMs: 0, tls: { pins: [] } }, ports),
  );
  const { signal } = new AbortController();
  const token = new Secret('sLzc0gDAZPkGMzFVTyUY');
  const results = [
    await transport.postTelemetry(token, '[{"ts":1,"values":{"a":1}}]', signal),
    await transport.probe(token, signal),
    await transport.provision({ deviceName: 'n', key: 'k', secret: token }, async () => {}, signal),
  ];
  assert.deepEqual(
    results.map((result) => result.ok || result.failure.reason),
    ['dtls-unavailable', 'dtls-unavailable', 'dtls-unavailable'],
  );
  server.close();
  assert.equal(received, 0);
});

/**
 * The whole agent, over real HTTP in virtual time, while a program in front of ThingsBoard rejects its requests: it provisions
 * nothing, and goes on with its token.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { runAgent } from '../../src/agent/agent.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { timesIn } from '../core/delivery/delivery-harness.ts';
import { PacedTransport } from '../doubles/paced-transport.ts';
import { AgentHarness, PROVISIONED, portsOf, START_MS } from './agent-harness.ts';

const MINUTE_MS = 60_000;

/** Rejects everything like an API gateway, while `isBlocking`. */
async function openServer() {
  const accepted: number[] = [];
  const server = {
    isBlocking: false,
    posts: 0,
    accepted,
    provisions: 0,
    port: 0,
    [Symbol.dispose]: () => {
      http.close();
      http.closeAllConnections();
    },
  };
  const http = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes) => {
      body += bytes;
    });
    request.on('end', () => {
      if (request.method === 'POST' && request.url?.endsWith('/provision')) server.provisions += 1;
      if (request.url?.endsWith('/telemetry')) server.posts += 1;
      if (server.isBlocking)
        return response
          .writeHead(401, { 'Content-Type': 'application/json' })
          .end('{"message":"Unauthorized"}');
      if (request.url?.endsWith('/telemetry')) accepted.push(...timesIn(body));
      return response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  server.port = (http.address() as AddressInfo).port;
  return server;
}

test('ten minutes of 401 by an API gateway cost no token and no reading', { timeout: 60_000 }, async () => {
  using server = await openServer();
  const harness = new AgentHarness(undefined, PROVISIONED);
  const { clock, log } = harness;
  await using transport = new PacedTransport(
    new HttpTransport(
      {
        scheme: 'http',
        host: '127.0.0.1',
        port: server.port,
        tls: { pins: [] },
        userAgent: 'firstlight/test',
      },
      { clock, log },
    ),
    clock,
  );
  const settings = { ...harness.settings, reprovision: true };
  const running = runAgent({ ...portsOf(harness), transport }, settings, harness.stop.signal);
  await transport.advance(200_000);
  const before = server.posts;
  assert.ok(before >= 20, `${before}`);
  server.isBlocking = true;
  await transport.advance(10 * MINUTE_MS);
  assert.ok(server.posts - before >= 5, 'enough rejections to call the token revoked');
  server.isBlocking = false;
  await transport.advance(3 * MINUTE_MS);
  harness.stop.abort();
  await transport.advance(1_000);
  await running;
  assert.equal(server.provisions, 0);
  assert.deepEqual(harness.store.record, PROVISIONED);
  assert.equal(log.events.filter((event) => event === 'FL-REQUEST-BLOCKED').length, 1);
  const lastS = (clock.wallMs() - START_MS) / 1_000;
  const seconds = server.accepted.map((ms) => (ms - START_MS) / 1_000).sort((one, other) => one - other);
  assert.deepEqual(
    seconds,
    Array.from({ length: seconds.length }, (_, index) => index * 10),
  );
  assert.ok(lastS - (seconds.at(-1) ?? 0) <= 20, `the last of ${lastS} s is ${seconds.at(-1)}`);
});

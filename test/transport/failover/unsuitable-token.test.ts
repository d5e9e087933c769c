/**
 * A token that ThingsBoard issued and HTTP cannot carry: the gateway uses it over CoAP, and never sends it over HTTP. The sandbox
 * is behind a web firewall that rejects the characters that Spring's StrictHttpFirewall rejects.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { coapObstacle, httpObstacle } from '../../../src/core/model/access-token.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { FailoverTransport } from '../../../src/transport/failover/failover-transport.ts';
import { HttpTransport } from '../../../src/transport/http/transport.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const timeout = 20_000;
const never = new AbortController().signal;
const BODY = '[{"ts":1700000000000,"values":{"a":1}}]';
const PROFILE = { key: 'pk1', secret: 'ps1' };
const REQUEST = { deviceName: 'gw-1', key: PROFILE.key, secret: new Secret(PROFILE.secret) };

/** A pre-provisioned device with this token; HTTP requests pass the web firewall first. */
async function openServer(token: string) {
  const sandbox = await openSandbox({ provisioning: PROFILE });
  const body = { deviceName: 'gw-1', provisionDeviceKey: PROFILE.key, provisionDeviceSecret: PROFILE.secret };
  await sandbox.core.provision(JSON.stringify({ ...body, credentialsType: 'ACCESS_TOKEN', token }), 'http');
  assert.ok(sandbox.core.admin.clearProvisionState('gw-1').ok);
  sandbox.setKnobs({ strategy: 'pre-provisioned' });
  const paths: string[] = [];
  const firewall = createServer((incoming, response) => {
    const { url = '', method, headers } = incoming;
    paths.push(url);
    if (/;|%3b|%25|%5c|%2f|%2e|\\|\/\//i.test(url)) return void response.writeHead(400).end();
    const options = { port: sandbox.httpPort, host: '127.0.0.1', path: url, method, headers };
    const outgoing = httpRequest(options, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(outgoing);
  }).listen(0, '127.0.0.1');
  await once(firewall, 'listening');
  const close = async () => {
    firewall.close();
    firewall.closeAllConnections();
    await sandbox[Symbol.asyncDispose]();
  };
  return {
    sandbox,
    paths,
    httpPort: (firewall.address() as AddressInfo).port,
    [Symbol.asyncDispose]: close,
  };
}

type Server = Awaited<ReturnType<typeof openServer>>;

function transports({ sandbox, httpPort }: Pick<Server, 'sandbox' | 'httpPort'>) {
  const clock = hostClock();
  const log = new RecordingLogger();
  const random = { uniform: () => 0 };
  const http = new HttpTransport(
    { scheme: 'http', host: '127.0.0.1', port: httpPort, tls: { pins: [] }, userAgent: 'firstlight/test' },
    { clock, log },
  );
  const coap = new CoapTransport({ host: '127.0.0.1', port: sandbox.coapPort }, { clock, random });
  const failover = new FailoverTransport(
    [
      { url: 'http://tb', isEncrypted: false, obstacleOf: httpObstacle, open: async () => http },
      { url: 'coap://tb', isEncrypted: false, obstacleOf: coapObstacle, open: async () => coap },
    ],
    { clock, log, random },
  );
  return { log, http, coap, failover };
}

describe('a token that HTTP cannot carry', () => {
  for (const token of ['Site;12', '100%', 'a\\b', 'plant/7', 'plant//7', 'a/../b']) {
    it(`${token} is issued over HTTP and used over CoAP, without a wait`, { timeout }, async () => {
      await using server = await openServer(token);
      const { failover, log } = transports(server);
      await using transport = failover;
      const issued = await transport.provision(REQUEST, async () => {}, never);
      assert.equal(issued.ok && issued.value.reveal(), token);
      assert.ok(issued.ok);
      assert.deepEqual(await transport.postTelemetry(issued.value, BODY, never), {
        ok: true,
        value: undefined,
      });
      assert.deepEqual(await transport.probe(issued.value, never), { ok: true, value: true });
      assert.equal(server.sandbox.points({ device: 'gw-1', key: 'a' }).length, 1);
      assert.ok(server.paths.every((path) => path.startsWith('/api/v1/provision') || !path.includes('%')));
      assert.deepEqual(log.events, ['FL-ENDPOINT-FAILOVER']);
      const [line] = log.lines.filter(({ level }) => level === 'warn');
      assert.equal(line?.fields['reason'], 'token-unsuitable');
      const [character] = /[;%\\/]/.exec(token) ?? [];
      assert.equal(line?.fields['detail'], `the access token contains ${character}`);
    });
  }

  it('is sent nowhere if there is HTTP only, and the failure names the character', { timeout }, async () => {
    await using server = await openServer('Site;12');
    const { http } = transports(server);
    await using transport = http;
    const token = new Secret('Site;12');
    const failure = { reason: 'token-unsuitable', detail: 'the access token contains ;' };
    assert.deepEqual(await transport.postTelemetry(token, BODY, never), { ok: false, failure });
    assert.deepEqual(await transport.postAttributes(token, '{"a":1}', never), { ok: false, failure });
    assert.deepEqual(await transport.probe(token, never), { ok: false, failure });
    assert.deepEqual(server.paths, []);
  });

  it('leaves the reason of an outage to the endpoint that can carry it', { timeout }, async () => {
    await using server = await openServer('Site;12');
    const { failover } = transports(server);
    await using transport = failover;
    const token = new Secret('Site;12');
    assert.ok((await transport.postTelemetry(token, BODY, never)).ok);
    await server.sandbox[Symbol.asyncDispose]();
    const result = await transport.postTelemetry(token, BODY, never);
    assert.ok(!result.ok);
    assert.equal(result.failure.reason, 'port-closed');
    assert.match(result.failure.detail, /^http:\/\/tb: the access token contains ;; coap:\/\/tb: /);
  });
});

describe('a token that CoAP cannot carry', () => {
  it('of 256 characters is used over HTTP', { timeout }, async () => {
    const token = 't'.repeat(256);
    await using server = await openServer(token);
    const { failover, coap } = transports(server);
    await using transport = failover;
    await using _coap = coap;
    const issued = await transport.provision(REQUEST, async () => {}, never);
    assert.ok(issued.ok);
    assert.deepEqual(await transport.postTelemetry(issued.value, BODY, never), {
      ok: true,
      value: undefined,
    });
    assert.deepEqual(await coap.probe(issued.value, never), {
      ok: false,
      failure: { reason: 'token-unsuitable', detail: 'the access token is longer than 255 bytes' },
    });
  });
});

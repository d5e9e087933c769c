/**
 * Responses of a program in front of ThingsBoard (proxy, firewall, CDN, API gateway): none is taken for ThingsBoard's verdict on the
 * token or on a reading. ThingsBoard's own responses are those recorded from CE 4.3.1.3.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { FailureReason, Result } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { HttpTransport } from '../../../src/transport/http/transport.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const SECRET = new Secret('ps1-not-to-be-seen');
const BODY = '[{"ts":1,"values":{"a":1}}]';
const timeout = 15_000;
const never = new AbortController().signal;

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = { 'Content-Type': 'application/json' };
const text = { 'Content-Type': 'text/plain' };
const html = { 'Content-Type': 'text/html' };

/** Recorded from ThingsBoard CE 4.3.1.3. */
const NOT_SUPPORTED: Answer = {
  status: 405,
  headers: json,
  body: '{"message":"Request method \'GET\' is not supported","errorCode":31,"status":405,"timestamp":1}',
};
const UNKNOWN_TOKEN: Answer = { status: 401 };

const isIdentification = ({ method, url }: IncomingMessage) =>
  method === 'GET' && url === '/api/v1/provision';

const respond =
  ({ status, body = '', headers = {} }: Answer): RequestListener =>
  (request, response) =>
    void request.resume().on('end', () => response.writeHead(status, headers).end(body));

/** The results of a post, a probe and a provisioning request. */
async function resultsOf(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using transport = new HttpTransport(
    { scheme: 'http', host: '127.0.0.1', port, tls: { pins: [] }, userAgent: 'firstlight/test' },
    {
      clock: hostClock(),
      log: new RecordingLogger(),
      timeouts: { requestMs: 5_000, provisioningMs: 5_000 },
    },
  );
  const request = { deviceName: 'gw', key: 'k', secret: SECRET, token: TOKEN };
  const results: Record<'post' | 'probe' | 'provision', Result<unknown>> = {
    post: await transport.postTelemetry(TOKEN, BODY, never),
    probe: await transport.probe(TOKEN, never),
    provision: await transport.provision(request, async () => {}, never),
  };
  server.close();
  server.closeAllConnections();
  assert.doesNotMatch(JSON.stringify(results), /sLzc0|not-to-be-seen/);
  return results;
}

const reasonOf = (result: Result<unknown>) => (result.ok ? `ok: ${result.value}` : result.failure.reason);

/** Something in front answers every request like this. */
const inFront: readonly [what: string, answer: Answer, reason: FailureReason][] = [
  [
    '401 of an API gateway, as JSON',
    { status: 401, headers: json, body: '{"message":"Unauthorized"}' },
    'request-blocked',
  ],
  [
    "401 of ThingsBoard's user API",
    {
      status: 401,
      headers: json,
      body: '{"status":401,"message":"Authentication failed","errorCode":10,"timestamp":1}',
    },
    'request-blocked',
  ],
  ['401 as text', { status: 401, headers: text, body: 'Unauthorized' }, 'request-blocked'],
  ['401 with a page', { status: 401, headers: html, body: '<html>log in' }, 'request-blocked'],
  ['401 with a log-in', { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } }, 'request-blocked'],
  ['401 without a body', { status: 401, headers: { Server: 'envoy' } }, 'request-blocked'],
  ['403 without a body', { status: 403 }, 'request-blocked'],
  ['403 with a page', { status: 403, headers: html, body: '<html>' }, 'request-blocked'],
  [
    '403 of Cloudflare',
    { status: 403, headers: { ...text, Server: 'cloudflare' }, body: 'error code: 1010' },
    'request-blocked',
  ],
  ['406 of a filter', { status: 406 }, 'request-blocked'],
  ['451', { status: 451 }, 'request-blocked'],
  ['400 without a body', { status: 400 }, 'request-blocked'],
  ['400 as JSON of another API', { status: 400, headers: json, body: '{"error":"x"}' }, 'request-blocked'],
  ['413 without a body', { status: 413 }, 'request-blocked'],
  ['404 as JSON', { status: 404, headers: json, body: '{"message":"no Route"}' }, 'unexpected-response'],
  ['200 as JSON', { status: 200, headers: json, body: '{"ok":true}' }, 'unexpected-response'],
  ['204', { status: 204 }, 'unexpected-response'],
  ['408 without a body', { status: 408 }, 'upstream-unavailable'],
  ['408 as JSON', { status: 408, headers: json, body: '{"message":"x"}' }, 'upstream-unavailable'],
  [
    '500 as text of another program',
    { status: 500, headers: text, body: 'Internal Server Error' },
    'server-overloaded',
  ],
  [
    '500 as JSON of an API gateway',
    { status: 500, headers: json, body: '{"message":"Internal server error"}' },
    'server-overloaded',
  ],
];

describe('a response of a program in front of ThingsBoard', () => {
  for (const [what, answer, reason] of inFront) {
    it(`${what} is ${reason} to a post, a probe and provisioning`, { timeout }, async () => {
      const { post, probe, provision } = await resultsOf(respond(answer));
      assert.deepEqual([post, probe, provision].map(reasonOf), [reason, reason, reason]);
    });
  }

  it('the detail names the server that calls itself something', { timeout }, async () => {
    const { post } = await resultsOf(
      respond({ status: 403, headers: { ...text, Server: 'cloudflare' }, body: 'error code: 1010' }),
    );
    assert.ok(!post.ok);
    assert.match(post.failure.detail, /403.*cloudflare.*1010/);
  });

  it('the detail quotes only a short and plain Server header', { timeout }, async () => {
    const { post } = await resultsOf(respond({ status: 403, headers: { Server: `"x" ${'y'.repeat(300)}` } }));
    assert.ok(!post.ok);
    assert.equal(post.failure.detail, 'response 403');
  });
});

describe('a response of ThingsBoard', () => {
  /** ThingsBoard, which does not know the token; `headers` are those that a proxy adds. */
  const thingsBoard =
    (headers: Readonly<Record<string, string>> = {}): RequestListener =>
    (request, response) => {
      const answer = isIdentification(request) ? NOT_SUPPORTED : UNKNOWN_TOKEN;
      respond({ ...answer, headers: { ...answer.headers, ...headers } })(request, response);
    };
  const cases: readonly [what: string, headers: Readonly<Record<string, string>>][] = [
    ['alone', {}],
    [
      'with the headers of Spring Security',
      {
        'X-Content-Type-Options': 'nosniff',
        'X-XSS-Protection': '0',
        'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate',
        Pragma: 'no-cache',
        Expires: '0',
        Vary: 'Origin',
      },
    ],
    ['behind a CDN', { Server: 'cloudflare', 'CF-RAY': '1-FRA', Via: '1.1 proxy' }],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }],
    ['with Keep-Alive', { Connection: 'keep-alive', 'Keep-Alive': 'timeout=60' }],
  ];
  for (const [what, headers] of cases) {
    it(`its 401 ${what} is its verdict on the token`, { timeout }, async () => {
      const { post, probe } = await resultsOf(thingsBoard(headers));
      assert.deepEqual([post, probe].map(reasonOf), ['unauthorized', 'ok: false']);
    });
  }

  it("a 405 in Spring Boot's own words identifies the HTTP microservice too", { timeout }, async () => {
    const body =
      '{"timestamp":"2026-11-30T10:00:00.000+00:00","status":405,"error":"Method Not Allowed","path":"/api/v1/provision"}';
    const { post, probe } = await resultsOf((request, response) =>
      respond(isIdentification(request) ? { status: 405, headers: json, body } : UNKNOWN_TOKEN)(
        request,
        response,
      ),
    );
    assert.deepEqual([post, probe].map(reasonOf), ['unauthorized', 'ok: false']);
  });

  it('an outage while the server is identified is an outage', { timeout }, async () => {
    const { post, probe } = await resultsOf((request, response) =>
      respond(isIdentification(request) ? { status: 502 } : UNKNOWN_TOKEN)(request, response),
    );
    assert.deepEqual([post, probe].map(reasonOf), ['upstream-unavailable', 'upstream-unavailable']);
  });

  for (const [what, answer, reason] of [
    [
      '408 of its queue',
      {
        status: 408,
        headers: { 'Content-Type': 'text/plain;charset=UTF-8' },
        body: '{"error":"Timeout during persistence of the message to the queue!"}',
      },
      'server-overloaded',
    ],
    [
      '400 with its error object',
      { status: 400, headers: json, body: '{"message":"m","errorCode":31,"status":400,"timestamp":1}' },
      'request-malformed',
    ],
    [
      '413 with its text',
      { status: 413, body: '"Payload size exceeds the limit of 65536 bytes"' },
      'request-malformed',
    ],
    [
      '500 with the message of its parser',
      { status: 500, headers: text, body: 'Unterminated object at line 1 column 5 path $.a' },
      'request-malformed',
    ],
    ['500 without a body', { status: 500 }, 'server-overloaded'],
  ] as const) {
    it(`its ${what} to a post is ${reason}`, { timeout }, async () => {
      const { post } = await resultsOf(respond(answer));
      assert.equal(reasonOf(post), reason);
    });
  }
});

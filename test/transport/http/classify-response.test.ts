/** Responses of ThingsBoard and of programs in front of it, and the failures they become. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import type { Result } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { HttpTransport } from '../../../src/transport/http/transport.ts';
import { classifyDates } from '../../../src/transport/tls/tls-failure.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const neverAborted = new AbortController().signal;
const BODY = '[{"ts":1,"values":{"a":1}}]';
const timeout = 15_000;
const log = new RecordingLogger();

const transportTo = (port: number) =>
  new HttpTransport(
    { scheme: 'http', host: '127.0.0.1', port, tls: { pins: [] }, userAgent: 'firstlight/test' },
    { clock: hostClock(), log, timeouts: { requestMs: 700, provisioningMs: 700 } },
  );

async function resultOf(answer: RequestListener, body = BODY): Promise<Result<void>> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using transport = transportTo((server.address() as AddressInfo).port);
  const result = await transport.postTelemetry(TOKEN, body, neverAborted);
  server.close();
  server.closeAllConnections();
  assert.doesNotMatch(JSON.stringify(result), /sLzc0/);
  return result;
}

async function reasonFor(answer: RequestListener): Promise<string> {
  const result = await resultOf(answer);
  return result.ok ? 'ok' : result.failure.reason;
}

describe('an HTTP response', () => {
  const html = { 'Content-Type': 'text/html' };
  const cases: readonly [what: string, reason: string, answer: RequestListener][] = [
    ['200 without a body', 'ok', (_, response) => response.end()],
    ['200 with a page', 'captive-portal', (_, response) => response.writeHead(200, html).end('<html>log in')],
    [
      'a redirect to another host',
      'captive-portal',
      (_, response) => response.writeHead(302, { Location: 'http://portal.example/' }).end(),
    ],
    [
      'a redirect in a circle',
      'redirect-not-followed',
      (request, response) => response.writeHead(307, { Location: request.url }).end(),
    ],
    ['a redirect without a target', 'redirect-not-followed', (_, response) => response.writeHead(302).end()],
    ['404', 'unexpected-response', (_, response) => response.writeHead(404).end()],
    ['421, for another connection', 'unexpected-response', (_, response) => response.writeHead(421).end()],
    ['425', 'upstream-unavailable', (_, response) => response.writeHead(425).end()],
    ['429', 'server-overloaded', (_, response) => response.writeHead(429).end()],
    [
      '429 with a page, as from nginx',
      'server-overloaded',
      (_, response) => response.writeHead(429, html).end('<html>'),
    ],
    ['500 without a body', 'server-overloaded', (_, response) => response.writeHead(500).end()],
    [
      '500 with the message of a parser',
      'request-malformed',
      (_, response) => response.writeHead(500).end('Unterminated object'),
    ],
    ['500 with a page', 'upstream-unavailable', (_, response) => response.writeHead(500, html).end('<html>')],
    ['502', 'upstream-unavailable', (_, response) => response.writeHead(502, html).end('<html>Bad Gateway')],
    [
      '503 of ThingsBoard',
      'server-overloaded',
      (_, response) => response.writeHead(503).end('{"status":503}'),
    ],
    ['504', 'upstream-unavailable', (_, response) => response.writeHead(504).end()],
    ['505', 'unexpected-response', (_, response) => response.writeHead(505).end()],
    [
      '521 of a content network',
      'upstream-unavailable',
      (_, response) => response.writeHead(521, html).end('<html>'),
    ],
    [
      '530 of a content network, as text',
      'upstream-unavailable',
      (_, response) => response.writeHead(530).end('error code: 1016'),
    ],
    [
      'a compressed 502',
      'upstream-unavailable',
      (_, response) => response.writeHead(502, { ...html, 'Content-Encoding': 'gzip' }).end('x'),
    ],
    [
      '200 without a body but with Content-Encoding',
      'ok',
      (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(),
    ],
    [
      'a header over 16 KiB',
      'unexpected-response',
      (_, response) => response.writeHead(200, { X: 'x'.repeat(17_000) }).end(),
    ],
    [
      'a change to another protocol',
      'connection-reset',
      (request) =>
        request.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    ['a closed connection', 'connection-reset', (request) => request.socket.destroy()],
    ['a response without an end', 'server-timeout', (_, response) => response.writeHead(200).write('{')],
    [
      'a response with unrequested compression',
      'unexpected-response',
      (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'),
    ],
    [
      'a response of 100,000 bytes',
      'unexpected-response',
      (_, response) => response.writeHead(200).end('x'.repeat(100_000)),
    ],
  ];
  for (const [what, reason, answer] of cases) {
    it(`the result of ${what} is ${reason}`, { timeout }, async () => {
      assert.equal(await reasonFor(answer), reason);
    });
  }

  it('a redirect on the same host is followed with method and body', {
    timeout,
  }, async () => {
    const requests: string[] = [];
    const reason = await reasonFor((request, response) => {
      requests.push(`${request.method} ${request.headers['content-length']}`);
      if (requests.length > 1) return response.end();
      return response.writeHead(307, { Location: `${request.url}/` }).end();
    });
    assert.deepEqual([reason, requests], ['ok', [`POST ${BODY.length}`, `POST ${BODY.length}`]]);
  });

  it('a request that is not repeatable is not sent again after a 303', { timeout }, async () => {
    const requests: string[] = [];
    const result = await resultOf((request, response) => {
      requests.push(request.url ?? '');
      response.writeHead(303, { Location: '/done' }).end();
    }, '[{"a":1}]');
    assert.equal(result.ok ? 'ok' : result.failure.reason, 'redirect-not-followed');
    assert.equal(requests.length, 1);
  });

  it('redirects do not extend the timeout of a request', { timeout }, async () => {
    const requests: string[] = [];
    const reason = await reasonFor((request, response) => {
      requests.push(request.url ?? '');
      // One is within the timeout, two are not.
      const late = hostClock().sleep(400, neverAborted);
      void late.then(() => response.writeHead(307, { Location: `/${requests.length}` }).end());
    });
    assert.deepEqual([reason, requests.length], ['server-timeout', 2]);
  });

  it('Retry-After becomes the retry delay of the failure', { timeout }, async () => {
    for (const [status, headers, ms] of [
      [429, { 'Retry-After': '7' }, 7_000],
      [503, { 'Retry-After': '99999999' }, 3_600_000],
      [502, { 'Retry-After': 'soon' }, undefined],
    ] as const) {
      const result = await resultOf((_, response) => response.writeHead(status, headers).end());
      assert.equal(!result.ok && result.failure.retryAfterMs, ms);
    }
  });

  it('a response that is not HTTP is an unexpected-response', { timeout }, async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using transport = transportTo((server.address() as AddressInfo).port);
    const result = await transport.postTelemetry(TOKEN, BODY, neverAborted);
    assert.equal(result.ok ? 'ok' : result.failure.reason, 'unexpected-response');
    server.close();
  });
});

/** Answers each request with these bytes; records the number of its connection. */
async function openBytes(bytes: string, afterwards: (socket: Socket) => void = () => {}) {
  const requests: number[] = [];
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    const connection = sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      // The client sends head and body in one piece.
      if (!data.toString().endsWith(BODY)) return;
      requests.push(connection);
      socket.write(bytes);
      if (requests.length === 1) afterwards(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { requests, port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}

describe('an unusual valid response', () => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const [reused, opened] = [
    [1, 1],
    [1, 2],
  ];
  const cases: readonly [what: string, bytes: string, seen: readonly number[]][] = [
    ['after 100 and 103', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n${ok}`, reused],
    [
      'in chunks, with trailers',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n',
      reused,
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', opened],
    [
      'of HTTP/1.0 with keep-alive',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      reused,
    ],
    ['with Connection: close', ok.replace('\r\n', '\r\nConnection: close\r\n'), opened],
    ['with Keep-Alive: timeout=1', ok.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n'), opened],
  ];
  for (const [what, bytes, requests] of cases) {
    it(`a response ${what} is accepted, and the connection reused if allowed`, { timeout }, async () => {
      await using server = await openBytes(bytes);
      await using transport = transportTo(server.port);
      for (const _ of requests)
        assert.deepEqual(await transport.postTelemetry(TOKEN, BODY, neverAborted), {
          ok: true,
          value: undefined,
        });
      assert.deepEqual(server.requests, requests);
    });
  }

  it('the post after a 421 uses another connection', { timeout }, async () => {
    await using server = await openBytes('HTTP/1.1 421 Misdirected\r\nContent-Length: 0\r\n\r\n');
    await using transport = transportTo(server.port);
    for (let posts = 0; posts < 2; posts += 1) await transport.postTelemetry(TOKEN, BODY, neverAborted);
    assert.deepEqual(server.requests, opened);
  });

  it('a reading is sent again if a reused connection responds 408', {
    timeout,
  }, async () => {
    const requests: number[] = [];
    const sockets: Socket[] = [];
    const result = await resultOf((request, response) => {
      if (!sockets.includes(request.socket)) sockets.push(request.socket);
      requests.push(sockets.indexOf(request.socket) + 1);
      // A redirect on the same host uses the same connection.
      if (requests.length === 1) response.writeHead(307, { Location: `${request.url}/` }).end();
      else response.writeHead(requests.length === 2 ? 408 : 200).end();
    });
    assert.deepEqual([result.ok, requests], [true, [1, 1, 2]]);
  });

  for (const [kind, body] of [
    ['a dated', BODY],
    ['an undated', '[{"a":1}]'],
  ] as const) {
    it(`${kind} reading is sent once if ThingsBoard's queue responds 408, on any connection`, {
      timeout,
    }, async () => {
      const requests: string[] = [];
      const server = createServer((request, response) => {
        requests.push(`${request.method}`);
        const isFirst = requests.length === 1;
        response
          .writeHead(isFirst ? 200 : 408, isFirst ? {} : { 'Content-Type': 'text/plain;charset=UTF-8' })
          .end(isFirst ? '' : '{"error":"Timeout during persistence of the message to the queue!"}');
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      await using transport = transportTo((server.address() as AddressInfo).port);
      assert.ok((await transport.postTelemetry(TOKEN, BODY, neverAborted)).ok);
      const results = [
        await transport.postTelemetry(TOKEN, body, neverAborted),
        await transport.postTelemetry(TOKEN, body, neverAborted),
      ];
      server.close();
      server.closeAllConnections();
      assert.deepEqual(
        results.map((result) => (result.ok ? 'ok' : result.failure.reason)),
        ['server-overloaded', 'server-overloaded'],
      );
      assert.deepEqual(requests, ['POST', 'POST', 'POST']);
    });
  }

  it('a connection that receives unrequested data is not used again', {
    timeout,
  }, async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await using server = await openBytes(ok, (socket) => {
      closed = once(socket, 'close');
      void hostClock()
        .sleep(50, neverAborted)
        .then(() => socket.write(ok));
    });
    await using transport = transportTo(server.port);
    assert.ok((await transport.postTelemetry(TOKEN, BODY, neverAborted)).ok);
    await closed;
    assert.ok((await transport.postTelemetry(TOKEN, BODY, neverAborted)).ok);
    assert.deepEqual(server.requests, opened);
  });
});

describe('a reused connection that the server has closed', () => {
  async function postTwice(body: string) {
    const requests: string[] = [];
    const sockets: Socket[] = [];
    /** Closes the first connection during its second request. */
    const server = createServer((request, response) => {
      if (!sockets.includes(request.socket)) sockets.push(request.socket);
      requests.push(`${sockets.indexOf(request.socket)}`);
      if (requests.length === 2) request.socket.destroy();
      else response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using transport = transportTo((server.address() as AddressInfo).port);
    const first = await transport.postTelemetry(TOKEN, body, neverAborted);
    const second = await transport.postTelemetry(TOKEN, body, neverAborted);
    server.close();
    server.closeAllConnections();
    return {
      requests,
      reasons: [first, second].map((result) => (result.ok ? 'ok' : result.failure.reason)),
    };
  }

  it('a dated reading is sent again on a new connection', { timeout }, async () => {
    assert.deepEqual((await postTwice(BODY)).reasons, ['ok', 'ok']);
  });

  it('an undated reading is not sent twice over a closed connection', { timeout }, async () => {
    const { reasons, requests } = await postTwice('[{"a":1}]');
    assert.deepEqual(reasons[0], 'ok');
    assert.ok(requests.length === 2, 'each was sent once');
  });
});

it('a request uses a new connection when all idle ones have been closed', {
  timeout,
}, async () => {
  const sockets = new Set<Socket>();
  let waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    waiting.push(() => response.end());
    // Four at once open four connections.
    if (sockets.size < 4 || waiting.length < 4) return;
    for (const answer of waiting) answer();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using transport = transportTo((server.address() as AddressInfo).port);
  const four = await Promise.all(
    Array.from({ length: 4 }, () => transport.postTelemetry(TOKEN, BODY, neverAborted)),
  );
  assert.ok(four.every(({ ok }) => ok));
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (sockets.has(request.socket)) request.socket.resetAndDestroy();
    else response.end();
  });
  waiting = [];
  assert.deepEqual(await transport.postTelemetry(TOKEN, BODY, neverAborted), { ok: true, value: undefined });
  server.close();
  server.closeAllConnections();
});

it('a temporary redirect applies once, a permanent one until its target fails', {
  timeout,
}, async () => {
  for (const status of [307, 308]) {
    const other = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    let isMoved = true;
    const home = createServer((request, response) => {
      if (!isMoved) return response.end();
      return response.writeHead(status, { Location: `http://127.0.0.1:${port}${request.url}` }).end();
    }).listen(0, '127.0.0.1');
    await once(home, 'listening');
    await using transport = transportTo((home.address() as AddressInfo).port);
    assert.ok((await transport.postTelemetry(TOKEN, BODY, neverAborted)).ok);
    isMoved = false;
    other.close();
    other.closeAllConnections();
    await once(other, 'close');
    if (status === 308) assert.ok(!(await transport.postTelemetry(TOKEN, BODY, neverAborted)).ok);
    assert.ok((await transport.postTelemetry(TOKEN, BODY, neverAborted)).ok, String(status));
    home.close();
    home.closeAllConnections();
  }
});

it('the detail of a timeout names the time and whether there was a connection', {
  timeout,
}, async () => {
  const server = createTcpServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const timeouts = { requestMs: 700, provisioningMs: 700 };
  const late = new AbortController();
  late.abort(DEADLINE);
  for (const [scheme, signal, detail] of [
    ['http', neverAborted, `no response from 127.0.0.1:${port} within 1 s`],
    // Says nothing, so that TLS never comes to be.
    ['https', neverAborted, `no connection to 127.0.0.1:${port} within 1 s`],
    ['http', late.signal, `no connection to 127.0.0.1:${port} within 0 s`],
  ] as const) {
    const settings = {
      scheme,
      host: '127.0.0.1',
      port,
      tls: { pins: [] },
      userAgent: 'firstlight/test',
    } as const;
    await using transport = new HttpTransport(settings, { clock: hostClock(), log, timeouts });
    const result = await transport.postTelemetry(TOKEN, BODY, signal);
    assert.deepEqual(result, { ok: false, failure: { reason: 'server-timeout', detail } });
  }
  server.close();
});

it('an abort does not wait for a connection that is being opened', { timeout }, async () => {
  // Says nothing, so that TLS never comes to be.
  const server = createTcpServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const settings = {
    scheme: 'https',
    host: '127.0.0.1',
    port,
    tls: { pins: [] },
    userAgent: 'firstlight/test',
  } as const;
  await using transport = new HttpTransport(settings, { clock: hostClock(), log });
  const stop = new AbortController();
  server.once('connection', () => stop.abort());
  const result = await transport.postTelemetry(TOKEN, BODY, stop.signal);
  assert.equal(result.ok ? 'ok' : result.failure.reason, 'aborted');
  server.close();
});

describe('a certificate outside its dates', () => {
  const [fromMs, toMs] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 11, 31)];
  const cases: readonly [what: string, hostMs: number, serverMs: number | undefined, reason: string][] = [
    ['host clock before, server within', Date.UTC(2024, 0, 1), Date.UTC(2026, 5, 1), 'clock-wrong'],
    ['host clock before, server unknown', Date.UTC(2024, 0, 1), undefined, 'clock-wrong'],
    ['host clock after, server within', Date.UTC(2030, 0, 1), Date.UTC(2026, 5, 1), 'clock-wrong'],
    ['host clock after, server unknown', Date.UTC(2030, 0, 1), undefined, 'certificate-date-invalid'],
    ['both after', Date.UTC(2030, 0, 1), Date.UTC(2030, 0, 1), 'certificate-date-invalid'],
  ];
  for (const [what, hostMs, serverMs, reason] of cases) {
    it(`${what}: ${reason}`, () => {
      assert.equal(
        classifyDates({ fromMs, toMs, hostMs, ...(serverMs !== undefined && { serverMs }) }).reason,
        reason,
      );
    });
  }
});

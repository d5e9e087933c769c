/** Who else may answer on the way, and how their answers are told apart from ThingsBoard's. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { hostClock } from '../../../src/host/clock.ts';
import { HttpTransport } from '../../../src/transport/http/transport.ts';
import { judgeDates } from '../../../src/transport/http/validity.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const never = new AbortController().signal;
const BODY = '[{"ts":1,"values":{"a":1}}]';
const timeout = 15_000;
const log = new RecordingLogger();

const roadTo = (port: number) =>
  new HttpTransport(
    { scheme: 'http', host: '127.0.0.1', port, tls: { pins: [] }, userAgent: 'firstlight/test' },
    { clock: hostClock(), log, patience: { usualMs: 700, singleMs: 700 } },
  );

async function answeredBy(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using road = roadTo((server.address() as AddressInfo).port);
  const result = await road.postTelemetry(TOKEN, BODY, never);
  server.close();
  server.closeAllConnections();
  assert.doesNotMatch(JSON.stringify(result), /sLzc0/);
  return result.ok ? 'ok' : result.refusal.reason;
}

describe('an answer', () => {
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
      'redirected',
      (request, response) => response.writeHead(307, { Location: request.url }).end(),
    ],
    ['a redirect to nowhere', 'redirected', (_, response) => response.writeHead(302).end()],
    ['404', 'unintelligible', (_, response) => response.writeHead(404).end()],
    ['401 of ThingsBoard', 'unauthorized', (_, response) => response.writeHead(401).end()],
    [
      '401 of a proxy',
      'unintelligible',
      (_, response) => response.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end(),
    ],
    ['413', 'malformed', (_, response) => response.writeHead(413).end()],
    ['500 without a word', 'overloaded', (_, response) => response.writeHead(500).end()],
    [
      '500 with the words of a parser',
      'malformed',
      (_, response) => response.writeHead(500).end('Unterminated object'),
    ],
    ['500 with a page', 'upstream-away', (_, response) => response.writeHead(500, html).end('<html>')],
    ['502', 'upstream-away', (_, response) => response.writeHead(502, html).end('<html>Bad Gateway')],
    ['503 of ThingsBoard', 'overloaded', (_, response) => response.writeHead(503).end('{"status":503}')],
    ['504', 'upstream-away', (_, response) => response.writeHead(504).end()],
    [
      'a change to another protocol',
      'reset',
      (request) =>
        request.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    ['a connection that is cut', 'reset', (request) => request.socket.destroy()],
    ['an answer that drips', 'silent', (_, response) => response.writeHead(200).write('{')],
    [
      'an answer nobody asked to be compressed',
      'unintelligible',
      (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'),
    ],
    [
      'an answer without an end',
      'unintelligible',
      (_, response) => response.writeHead(200).end('x'.repeat(100_000)),
    ],
  ];
  for (const [what, reason, answer] of cases) {
    it(`${what} is told as ${reason}`, { timeout }, async () => {
      assert.equal(await answeredBy(answer), reason);
    });
  }

  it('that is a redirect on the same host is followed, with the method and the body', {
    timeout,
  }, async () => {
    const seen: string[] = [];
    const reason = await answeredBy((request, response) => {
      seen.push(`${request.method} ${request.headers['content-length']}`);
      if (seen.length > 1) return response.end();
      return response.writeHead(307, { Location: `${request.url}/` }).end();
    });
    assert.deepEqual([reason, seen], ['ok', [`POST ${BODY.length}`, `POST ${BODY.length}`]]);
  });

  it('of something that is not HTTP is told as such', { timeout }, async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using road = roadTo((server.address() as AddressInfo).port);
    const result = await road.postTelemetry(TOKEN, BODY, never);
    assert.equal(result.ok ? 'ok' : result.refusal.reason, 'unintelligible');
    server.close();
  });
});

describe('a kept connection that the server has closed', () => {
  async function postTwice(body: string) {
    const seen: string[] = [];
    const sockets: Socket[] = [];
    /** Answers the first request of the first connection, and cuts that one within the second request. */
    const server = createServer((request, response) => {
      if (!sockets.includes(request.socket)) sockets.push(request.socket);
      seen.push(`${sockets.indexOf(request.socket)}`);
      if (seen.length === 2) request.socket.destroy();
      else response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using road = roadTo((server.address() as AddressInfo).port);
    const first = await road.postTelemetry(TOKEN, body, never);
    const second = await road.postTelemetry(TOKEN, body, never);
    server.close();
    server.closeAllConnections();
    return { seen, reasons: [first, second].map((result) => (result.ok ? 'ok' : result.refusal.reason)) };
  }

  it('costs a reading with a date nothing: it goes again, on a fresh one', { timeout }, async () => {
    assert.deepEqual((await postTwice(BODY)).reasons, ['ok', 'ok']);
  });

  it('makes nobody repeat a reading without a date', { timeout }, async () => {
    const { reasons, seen } = await postTwice('[{"a":1}]');
    assert.deepEqual(reasons[0], 'ok');
    assert.ok(seen.length === 2, 'each was sent once');
  });
});

it('when all kept connections have died together, the next request goes on a fresh one', {
  timeout,
}, async () => {
  const sockets = new Set<Socket>();
  let waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    waiting.push(() => response.end());
    // Four at once, so that there are four connections to keep.
    if (sockets.size < 4 || waiting.length < 4) return;
    for (const answer of waiting) answer();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using road = roadTo((server.address() as AddressInfo).port);
  const four = await Promise.all(Array.from({ length: 4 }, () => road.postTelemetry(TOKEN, BODY, never)));
  assert.ok(four.every(({ ok }) => ok));
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (sockets.has(request.socket)) request.socket.resetAndDestroy();
    else response.end();
  });
  waiting = [];
  assert.deepEqual(await road.postTelemetry(TOKEN, BODY, never), { ok: true, value: undefined });
  server.close();
  server.closeAllConnections();
});

it('a redirect for now is asked again where the server was, and one for good until nobody is there', {
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
    await using road = roadTo((home.address() as AddressInfo).port);
    assert.ok((await road.postTelemetry(TOKEN, BODY, never)).ok);
    isMoved = false;
    other.close();
    other.closeAllConnections();
    await once(other, 'close');
    if (status === 308) assert.ok(!(await road.postTelemetry(TOKEN, BODY, never)).ok);
    assert.ok((await road.postTelemetry(TOKEN, BODY, never)).ok, String(status));
    home.close();
    home.closeAllConnections();
  }
});

it('a stop does not wait for a connection that is being made', { timeout }, async () => {
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
  await using road = new HttpTransport(settings, { clock: hostClock(), log });
  const stop = new AbortController();
  server.once('connection', () => stop.abort());
  const result = await road.postTelemetry(TOKEN, BODY, stop.signal);
  assert.equal(result.ok ? 'ok' : result.refusal.reason, 'aborted');
  server.close();
});

describe('a certificate out of time', () => {
  const [fromMs, toMs] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 11, 31)];
  const cases: readonly [what: string, ourMs: number, serverMs: number | undefined, reason: string][] = [
    ['our clock before it, the server within it', Date.UTC(2024, 0, 1), Date.UTC(2026, 5, 1), 'clock-wrong'],
    ['our clock before it, the server silent', Date.UTC(2024, 0, 1), undefined, 'clock-wrong'],
    ['our clock after it, the server within it', Date.UTC(2030, 0, 1), Date.UTC(2026, 5, 1), 'clock-wrong'],
    ['our clock after it, the server silent', Date.UTC(2030, 0, 1), undefined, 'certificate-dates'],
    ['both after it', Date.UTC(2030, 0, 1), Date.UTC(2030, 0, 1), 'certificate-dates'],
  ];
  for (const [what, ourMs, serverMs, reason] of cases) {
    it(`${what}: ${reason}`, () => {
      assert.equal(
        judgeDates({ fromMs, toMs, ourMs, ...(serverMs !== undefined && { serverMs }) }).reason,
        reason,
      );
    });
  }
});

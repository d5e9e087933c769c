/** The number of containers, read from a real HTTP server on a real unix socket that can misbehave. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { hostClock } from '../../src/host/clock/clock.ts';
import { pollContainers } from '../../src/host/containers.ts';

const timeout = 20_000;
/** One entry of the engine's list, shortened. */
const CONTAINER = { Id: '8dfafdbc3a40', Names: ['/boring_feynman'], Image: 'debian:13', State: 'running' };
const list = (count: number) => JSON.stringify(Array.from({ length: count }, () => CONTAINER));
const respondWith =
  (body: string, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);

for (const [what, answer, expected] of [
  ['three containers', respondWith(list(3)), 3],
  ['none', respondWith('[]'), 0],
  ['more than a chunk of them', respondWith(list(5000)), 5000],
  ['three containers and a broken entry', respondWith(`${list(3).slice(0, -1)},{}]`), 3],
  ['an error', respondWith('{"message":"server error"}', 500), undefined],
  ['a list with an error status', respondWith(list(3), 500), undefined],
  ['half of a list', respondWith(list(3).slice(0, 40)), undefined],
  ['a page', respondWith('<html>not found</html>'), undefined],
  ['nothing', respondWith(''), undefined],
  ['something else in JSON', respondWith('{"Containers":3}'), undefined],
  ['a list of something else', respondWith('[1,2,3]'), undefined],
] as const) {
  it(`an engine returns ${what}: ${expected ?? 'no number'}`, { timeout }, async (t) => {
    assert.equal(await countWith([await engineWith(t, answer)]), expected);
  });
}

it('pollContainers requests the list of running containers', { timeout }, async (t) => {
  const requests: string[] = [];
  const socket = await engineWith(t, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.end(list(1));
  });
  assert.equal(await countWith([socket]), 1);
  assert.deepEqual(requests, ['GET /containers/json']);
});

it('pollContainers stops reading a response after 1 MB', { timeout }, async (t) => {
  let sentBytes = 0;
  const socket = await engineWith(t, (_request, response) => {
    response.write('[');
    writeBytes(response, 1_000_000_000, (bytes) => {
      sentBytes += bytes;
    });
  });
  assert.equal(await countWith([socket]), undefined);
  // Bytes in transit fill the buffers between client and server, which are small.
  assert.ok(sentBytes < 20_000_000, String(sentBytes));
});

it('an engine that never responds is abandoned at the deadline', { timeout }, async (t) => {
  const late = new AbortController();
  const [socket, closed] = await hangingEngine(t, () => late.abort());
  assert.equal(await countWith([socket], late.signal), undefined);
  await closed;
});

it('an engine that stops in the middle of a response is abandoned at the deadline', {
  timeout,
}, async (t) => {
  const late = new AbortController();
  const [socket, closed] = await hangingEngine(t, (connection) =>
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"Id":"a"}', () => late.abort()),
  );
  assert.equal(await countWith([socket], late.signal), undefined);
  await closed;
});

for (const [what, reply] of [
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['a line without an end', 'x'.repeat(100_000)],
  ['a protocol upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n'],
  ['less than its Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[]'],
] as const) {
  it(`a socket that sends ${what} gives no number`, { timeout }, async (t) => {
    const [socket] = await hangingEngine(t, (connection) => connection.end(reply));
    assert.equal(await countWith([socket]), undefined);
  });
}

it('a missing socket is skipped; without any socket there is no number', {
  timeout,
}, async (t) => {
  const socket = await engineWith(t, respondWith(list(2)));
  assert.equal(await countWith(['/nowhere/docker.sock', socket]), 2);
  assert.equal(await countWith(['/nowhere/docker.sock']), undefined);
});

it('a socket without write permission is skipped', {
  timeout,
  skip: process.getuid?.() === 0 && 'root can open every socket',
}, async (t) => {
  const [closed, open] = [
    await engineWith(t, respondWith(list(7))),
    await engineWith(t, respondWith(list(2))),
  ];
  chmodSync(closed, 0);
  assert.equal(await countWith([closed, open]), 2);
});

it('pollContainers queries only the first engine, even if it fails', {
  timeout,
}, async (t) => {
  const [broken, other] = [
    await engineWith(t, respondWith('', 500)),
    await engineWith(t, respondWith(list(2))),
  ];
  assert.equal(await countWith([broken, other]), undefined);
});

it('pollContainers does not wait for a response when the agent stops', { timeout }, async (t) => {
  const stop = new AbortController();
  const [socket] = await hangingEngine(t, () => stop.abort());
  const containers = pollContainers({ clock: hostClock(), sockets: [socket] });
  await containers.run(stop.signal);
  assert.equal(containers.last, undefined);
});

/** The result of the first read, whose deadline passes when `late` aborts. */
async function countWith(
  sockets: readonly string[],
  late: AbortSignal = new AbortController().signal,
): Promise<number | undefined> {
  const stop = new AbortController();
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    if (ms > 60_000) stop.abort();
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      for (const each of [signal, late]) each.addEventListener('abort', () => resolve());
    });
  };
  const containers = pollContainers({ clock: { sleep }, sockets });
  await containers.run(stop.signal);
  return containers.last;
}

/** An HTTP server on a unix socket of its own. */
async function engineWith(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createHttpServer(answer);
  const path = socketFor(t, () => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(path), 'listening');
  return path;
}

/**
 * A server on a unix socket that only runs `act` for each request; its path, and the end of the first
 * connection.
 */
async function hangingEngine(
  t: TestContext,
  act: (connection: Socket) => void,
): Promise<readonly [string, Promise<unknown>]> {
  const connections: Socket[] = [];
  const ended = new AbortController();
  const closed = once(ended.signal, 'abort');
  const server = createServer((connection) => {
    connections.push(connection);
    connection.on('error', () => {});
    connection.on('close', () => ended.abort());
    connection.once('data', () => act(connection));
  });
  const path = socketFor(t, () => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  await once(server.listen(path), 'listening');
  return [path, closed];
}

function socketFor(t: TestContext, close: () => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-engine-'));
  t.after(() => {
    close();
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'engine.sock');
}

/** Writes as long as the client reads. */
function writeBytes(response: ServerResponse, bytes: number, onWritten: (bytes: number) => void): void {
  const chunk = Buffer.alloc(65_536, ' ');
  const more = (left: number): void => {
    if (left <= 0 || response.destroyed) return;
    onWritten(chunk.length);
    if (response.write(chunk)) setImmediate(() => more(left - chunk.length));
    else response.once('drain', () => more(left - chunk.length));
  };
  more(bytes);
}

/** The number of containers: asked of a real HTTP server on a real unix socket, which stands in for an engine and may be unwell. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { hostClock } from '../../src/host/clock/clock.ts';
import { runningContainers } from '../../src/host/containers.ts';

const timeout = 20_000;
/** As the engine lists one, shortened. */
const CONTAINER = { Id: '8dfafdbc3a40', Names: ['/boring_feynman'], Image: 'debian:13', State: 'running' };
const list = (count: number) => JSON.stringify(Array.from({ length: count }, () => CONTAINER));
const says =
  (body: string, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);

for (const [what, answer, expected] of [
  ['three containers', says(list(3)), 3],
  ['none', says('[]'), 0],
  ['more than a chunk of them', says(list(5000)), 5000],
  ['that it failed', says('{"message":"server error"}', 500), undefined],
  ['a list, with an error', says(list(3), 500), undefined],
  ['half of a list', says(list(3).slice(0, 40)), undefined],
  ['a page', says('<html>not found</html>'), undefined],
  ['nothing', says(''), undefined],
  ['something else in JSON', says('{"Containers":3}'), undefined],
  ['a list of something else', says('[1,2,3]'), undefined],
] as const) {
  it(`an engine says ${what}: ${expected ?? 'no number'}`, { timeout }, async (t) => {
    assert.equal(await countWith([await engineWith(t, answer)]), expected);
  });
}

it('it asks for those that run, by a path that Docker and Podman have', { timeout }, async (t) => {
  const asking: string[] = [];
  const socket = await engineWith(t, (request, response) => {
    asking.push(`${request.method} ${request.url}`);
    response.end(list(1));
  });
  assert.equal(await countWith([socket]), 1);
  assert.deepEqual(asking, ['GET /containers/json']);
});

it('an answer of a gigabyte is left at a megabyte', { timeout }, async (t) => {
  let sentBytes = 0;
  const socket = await engineWith(t, (_request, response) => {
    response.write('[');
    writeBytes(response, 1_000_000_000, (bytes) => {
      sentBytes += bytes;
    });
  });
  assert.equal(await countWith([socket]), undefined);
  // What was on its way fills the buffers between the two, and they are small.
  assert.ok(sentBytes < 20_000_000, String(sentBytes));
});

it('an engine that takes the question and says nothing is left at the deadline', { timeout }, async (t) => {
  const late = new AbortController();
  const [socket, closed] = await hangingEngine(t, () => late.abort());
  assert.equal(await countWith([socket], late.signal), undefined);
  await closed;
});

it('so is one that stops in the middle of its answer', { timeout }, async (t) => {
  const late = new AbortController();
  const [socket, closed] = await hangingEngine(t, (connection) =>
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"Id":"a"}', () => late.abort()),
  );
  assert.equal(await countWith([socket], late.signal), undefined);
  await closed;
});

for (const [what, reply] of [
  ['what is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['a line without an end', 'x'.repeat(100_000)],
  [
    'that it goes on in another language',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n',
  ],
  ['less than it has promised, and hangs up', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[]'],
] as const) {
  it(`a socket that says ${what} has no number`, { timeout }, async (t) => {
    const [socket] = await hangingEngine(t, (connection) => connection.end(reply));
    assert.equal(await countWith([socket]), undefined);
  });
}

it('a socket without anybody behind it has no number, and one that is not there is not asked', {
  timeout,
}, async (t) => {
  const socket = await engineWith(t, says(list(2)));
  assert.equal(await countWith(['/nowhere/docker.sock', socket]), 2);
  assert.equal(await countWith(['/nowhere/docker.sock']), undefined);
});

it('a socket that may not be opened is passed over', {
  timeout,
  skip: process.getuid?.() === 0 && 'root may open all',
}, async (t) => {
  const [closed, open] = [await engineWith(t, says(list(7))), await engineWith(t, says(list(2)))];
  chmodSync(closed, 0);
  assert.equal(await countWith([closed, open]), 2);
});

it('the first engine is the only one asked: another one’s number would be another series', {
  timeout,
}, async (t) => {
  const [broken, other] = [await engineWith(t, says('', 500)), await engineWith(t, says(list(2)))];
  assert.equal(await countWith([broken, other]), undefined);
});

it('when the agent stops in the middle of the question, it waits for no answer', { timeout }, async (t) => {
  const stop = new AbortController();
  const [socket] = await hangingEngine(t, () => stop.abort());
  const containers = runningContainers({ clock: hostClock(), sockets: [socket] });
  await containers.run(stop.signal);
  assert.equal(containers.last, undefined);
});

/** What comes of the first question, whose deadline is over when `late` aborts. */
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
  const containers = runningContainers({ clock: { sleep }, sockets });
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

/** A server on a unix socket that does this and no more when it has been asked; its path, and the end of the first connection. */
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

/** Writes as long as it is read. */
function writeBytes(response: ServerResponse, bytes: number, wrote: (bytes: number) => void): void {
  const chunk = Buffer.alloc(65_536, ' ');
  const more = (left: number): void => {
    if (left <= 0 || response.destroyed) return;
    wrote(chunk.length);
    if (response.write(chunk)) setImmediate(() => more(left - chunk.length));
    else response.once('drain', () => more(left - chunk.length));
  };
  more(bytes);
}

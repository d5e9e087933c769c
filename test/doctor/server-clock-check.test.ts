/** The server's clock, asked of a real HTTP server that says the wrong time, the right one, or none. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { serverClockCheck } from '../../src/doctor/server-clock-check.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { measureClockOffset } from '../../src/transport/http/clock-offset.ts';

const { signal } = new AbortController();

/** `date`: what the server's Date header says; undefined: it has none. */
async function runCheck(date: string | undefined) {
  const server = createServer((_request, response) => {
    response.sendDate = false;
    if (date !== undefined) response.setHeader('Date', date);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    const origin = { scheme: 'http', host: '127.0.0.1', port } as const;
    const ask = (stop: AbortSignal) => measureClockOffset(origin, { tls: { pins: [] } }, hostClock(), stop);
    return await serverClockCheck(ask).run(signal);
  } finally {
    server.close();
  }
}

const dateIn = (ms: number) => new Date(Date.now() + ms).toUTCString();

describe("the server's clock", () => {
  it('that is an hour before ours is a cross, and says which is ahead', async () => {
    const result = await runCheck(dateIn(-3_600_000));
    assert.equal(result.status, 'fail');
    assert.match(result.observed, /is (1 h|59 min|60 min).* ahead of the server's/);
  });

  it('that is an hour after ours is a cross, too', async () => {
    assert.match((await runCheck(dateIn(3_600_000))).observed, /behind the server's/);
  });

  it('that is about ours is in order', async () => assert.equal((await runCheck(dateIn(0))).status, 'pass'));

  it('that is not said, or is nonsense, proves nothing', async () => {
    for (const date of [undefined, 'yesterday']) assert.equal((await runCheck(date)).status, 'skip');
  });
});

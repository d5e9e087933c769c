/** The server clock check against a real HTTP server with a wrong time, the right one, or none. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { serverClockCheck } from '../../src/doctor/server-clock-check.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { measureClockOffset } from '../../src/transport/http/measure-clock-offset.ts';

const { signal } = new AbortController();

/** `date`: the Date header of the server; undefined: none. */
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

describe('the server clock check', () => {
  it('fails if the server is an hour behind, and names the clock that is ahead', async () => {
    const result = await runCheck(dateIn(-3_600_000));
    assert.equal(result.status, 'fail');
    assert.match(result.observed, /is (1 h|59 min|60 min).* ahead of the server's/);
  });

  it('fails if the server is an hour ahead', async () => {
    assert.match((await runCheck(dateIn(3_600_000))).observed, /behind the server's/);
  });

  it('passes if both clocks agree', async () => assert.equal((await runCheck(dateIn(0))).status, 'pass'));

  it('is skipped without a valid Date header', async () => {
    for (const date of [undefined, 'yesterday']) assert.equal((await runCheck(date)).status, 'skip');
  });
});

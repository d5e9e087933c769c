/**
 * A backlog drains although the server limits data points or messages: every reading is stored once and in bounded time, and
 * fresh readings are not delayed.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { type Limit, POINT_LIMITS } from '../doubles/point-limit.ts';
import { repetitions } from '../repetitions.ts';
import { ack, ScriptedPeer } from '../transport/coap/helpers/scripted-peer.ts';
import { drain, type OpenServer, type Outcome } from './limited-server.ts';

const timeout = 120_000;
const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];

function assertComplete({ harness, missing, repeated, points }: Outcome): void {
  assert.equal(missing, 0, `of ${points} points`);
  assert.equal(repeated, 0);
  assert.equal(harness.outbox.size, 0);
  assert.deepEqual(
    harness.log.events.filter((event) => /LOST|REJECTED|MALFORMED|OVERLOADED/.test(event)),
    [],
  );
}

/** The longest delay of a share of the fresh readings, ms. */
function delayOf({ delaysMs }: Outcome, share: number): number {
  const sorted = [...delaysMs].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

const openHttp: OpenServer = async (limit, { clock, log }) => {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes) => {
      body += bytes;
    });
    request.on('end', () => {
      const isTelemetry = request.url?.endsWith('/telemetry');
      response.writeHead(!isTelemetry || limit.admit(body, clock.wallMs()) ? 200 : 500).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const transport = new HttpTransport(
    { scheme: 'http', host: '127.0.0.1', port, tls: { pins: [] }, userAgent: 'firstlight/test' },
    { clock, log },
  );
  return { transport, close: () => server.close().closeAllConnections() };
};

const openCoap: OpenServer = async (limit, { clock }) => {
  const peer = await ScriptedPeer.open((request, send) => {
    const isTelemetry = request.options.some(({ value }) => value.toString() === 'telemetry');
    const isAdmitted = !isTelemetry || limit.admit(request.payload.toString(), clock.wallMs());
    send(ack(request, isAdmitted ? '2.01' : '5.00'));
  });
  const ports = { clock, random: { uniform: () => 0 } };
  const transport = new CoapTransport({ host: '127.0.0.1', port: peer.port }, ports);
  return { transport, close: () => peer[Symbol.asyncDispose]() };
};

describe('a server that accepts 20 data points a second and 600 a minute', { concurrency: 2 }, () => {
  for (const [scheme, open] of [
    ['http', openHttp],
    ['coap', openCoap],
  ] as const) {
    it(`stores each queued reading once, over ${scheme}`, { timeout }, async () => {
      const outcome = await drain(
        { backlog: repetitions(250, 60), values: 12, limits: POINT_LIMITS, maxMs: HOUR_MS },
        open,
      );
      assertComplete(outcome);
      // In full at least 6 minutes: 12 values, 528 points a minute beside the fresh readings.
      assert.ok(outcome.tookMs <= 12 * MINUTE_MS, `${outcome.tookMs / MINUTE_MS} min`);
      assert.ok(delayOf(outcome, 1) <= 10_000, `${delayOf(outcome, 1)} ms`);
    });
  }

  it('is asked for more than it accepts with few messages only', { timeout }, async () => {
    const { server } = await drain({ backlog: 500, values: 12, limits: POINT_LIMITS, maxMs: HOUR_MS });
    assert.ok(server.refused <= 0.2 * server.accepted, `${server.refused} beside ${server.accepted}`);
  });
});

describe('a server that limits messages', () => {
  for (const [what, limits, maxMin] of [
    ['10 a second and 300 a minute', [limit(10, 1_000), limit(300, MINUTE_MS)], 15],
  ] as const) {
    it(`${what}: stores each queued reading once, in full messages`, {
      timeout,
    }, async () => {
      const outcome = await drain({ backlog: 1_500, values: 12, limits, maxMs: 2 * HOUR_MS });
      assertComplete(outcome);
      assert.ok(outcome.tookMs <= maxMin * MINUTE_MS, `${outcome.tookMs / MINUTE_MS} min`);
      assert.ok(delayOf(outcome, 1) <= MINUTE_MS, `${delayOf(outcome, 1)} ms`);
    });
  }
});

describe('a reading with more values than the server accepts in a second', () => {
  it('is sent in parts with its timestamp, at most two minutes late at first', { timeout }, async () => {
    const outcome = await drain({ backlog: 0, values: 30, limits: POINT_LIMITS, maxMs: HOUR_MS });
    // The last reading may be on its way.
    assert.ok(outcome.missing <= 30, `${outcome.missing}`);
    assert.equal(outcome.repeated, 0);
    assert.ok(delayOf(outcome, 0.95) <= 5_000, `${delayOf(outcome, 0.95)} ms`);
    assert.ok(delayOf(outcome, 1) <= 4 * MINUTE_MS, `${delayOf(outcome, 1)} ms`);
    assert.equal(outcome.harness.log.events.filter((event) => event === 'FL-READINGS-LOST').length, 0);
  });
});

describe('a server without a limit', () => {
  it('gets a backlog at the drain rate', { timeout }, async () => {
    const outcome = await drain({ backlog: 1_500, values: 12, limits: [], maxMs: HOUR_MS });
    assertComplete(outcome);
    assert.ok(outcome.tookMs <= 2 * MINUTE_MS, `${outcome.tookMs / MINUTE_MS} min`);
    assert.ok(delayOf(outcome, 1) <= 100, `${delayOf(outcome, 1)} ms`);
  });
});

function limit(max: number, perMs: number): Limit {
  return { max, perMs, of: 'messages' };
}

/**
 * Many posts for each response pattern, on real UDP, without heap growth. Measured: the library alone leaks
 * about 6 KB per request if a confirmable response comes without an acknowledgement (ThingsBoard's response
 * to telemetry), and hangs for ever on an acknowledgement without a response.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';

const IN_FLIGHT = 32;
const HEAP_BYTES_MAX = 2_000_000;
const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';

async function posts(transport: CoapTransport, count: number, expected: string): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      const { signal } = new AbortController();
      while (left-- > 0) {
        const result = await transport.postTelemetry(TOKEN, BODY, signal);
        assert.equal(result.ok ? 'accepted' : result.failure.reason, expected);
      }
    }),
  );
}

async function heapBytes(): Promise<number> {
  assert.ok(globalThis.gc, 'run with --expose-gc, as npm test does');
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
  }
  return process.memoryUsage().heapUsed;
}

/** How the server answers, and how the posts end; the first two are those that the library alone does not survive. */
export const PATTERNS: readonly (readonly [pattern: string, expected: string])[] = [
  ['confirmableWithoutAck', 'accepted'],
  ['ackThenSilence', 'no-response-after-ack'],
  ['ackThenConfirmable', 'accepted'],
  ['piggybacked', 'accepted'],
  ['reset', 'connection-reset'],
];

/** The first half of the posts warms up; the second half may add at most HEAP_BYTES_MAX. */
export function testEndurance(postCount: number, patterns = PATTERNS): void {
  const half = postCount / 2;
  for (const [pattern, expected] of patterns) {
    test(`${postCount.toLocaleString('en')} posts answered by ${pattern} do not grow the heap`, {
      timeout: 600_000,
    }, async () => {
      const thread = new Worker(join(import.meta.dirname, 'helpers/peer-thread.js'), { workerData: pattern });
      const [port] = (await once(thread, 'message')) as [number];
      // A short deadline after an acknowledgement, so that 100,000 timeouts fit into seconds.
      const timing = {
        retransmitAfterMs: [2_000],
        noAckTimeoutMs: 10_000,
        responseTimeoutMs: pattern === 'ackThenSilence' ? 1 : 10_000,
      };
      const ports = { clock: hostClock(), random: { uniform: () => 0 }, timingOf: () => timing };
      await using transport = new CoapTransport({ host: '127.0.0.1', port }, ports);
      await posts(transport, half, expected);
      const halfway = await heapBytes();
      await posts(transport, half, expected);
      const grown = (await heapBytes()) - halfway;
      await thread.terminate();
      assert.ok(grown < HEAP_BYTES_MAX, `the heap grew by ${grown} bytes over the last ${half} posts`);
    });
  }
}

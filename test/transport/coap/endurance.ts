/**
 * Years in a minute: many posts for each way of answering, on real UDP, with a flat heap.
 *
 * The library alone leaks about 6 KB per request when a confirmable answer comes without an acknowledgement,
 * which is how ThingsBoard answers telemetry, and hangs for ever on an acknowledgement without an answer.
 * Measured: the second half of the posts may add 2 MB to the heap.
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

async function posts(road: CoapTransport, count: number, expected: string): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      const { signal } = new AbortController();
      while (left-- > 0) {
        const result = await road.postTelemetry(TOKEN, BODY, signal);
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

/** Half of the posts warm up; over the other half the heap may not grow. */
export function testEndurance(postCount: number): void {
  const half = postCount / 2;
  for (const [pattern, expected] of [
    ['piggybacked', 'accepted'],
    ['confirmableWithoutAck', 'accepted'],
    ['ackThenConfirmable', 'accepted'],
    ['reset', 'connection-reset'],
    ['ackThenSilence', 'no-response-after-ack'],
  ] as const) {
    test(`${postCount.toLocaleString('en')} posts answered ${pattern} leave the heap flat`, {
      timeout: 170_000,
    }, async () => {
      const thread = new Worker(join(import.meta.dirname, 'helpers/peer-thread.js'), { workerData: pattern });
      const [port] = (await once(thread, 'message')) as [number];
      // The deadline after an acknowledgement is short, so that 100,000 silences fit into seconds.
      const timing = {
        retransmitAfterMs: [2_000],
        noAckTimeoutMs: 10_000,
        responseTimeoutMs: pattern === 'ackThenSilence' ? 1 : 10_000,
      };
      const ports = { clock: hostClock(), random: { uniform: () => 0 }, timingOf: () => timing };
      await using road = new CoapTransport({ host: '127.0.0.1', port }, ports);
      await posts(road, half, expected);
      const halfway = await heapBytes();
      await posts(road, half, expected);
      const grown = (await heapBytes()) - halfway;
      await thread.terminate();
      assert.ok(grown < HEAP_BYTES_MAX, `the heap grew by ${grown} bytes over the last ${half} posts`);
    });
  }
}

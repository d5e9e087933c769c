/**
 * Retransmission of a CON response (RFC 7252 section 4.2): after ACK_TIMEOUT times 1 to 1.5, then twice that.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCoapHarness } from './helpers/coap-harness.ts';
import { request } from './helpers/coap-peer.ts';

const ACK_TIMEOUT_MS = 2_000;

/** Default: the times of the RFC. */
export function testRetransmission(settings: { readonly ackTimeoutMs?: number } = {}): void {
  const ackMs = settings.ackTimeoutMs ?? ACK_TIMEOUT_MS;
  const [leastMs, mostMs] = [ackMs, 1.5 * ackMs];
  test(`an unacknowledged CON is repeated in ${leastMs / 1_000} to ${mostMs / 1_000} s, then twice as late`, async () => {
    await using harness = await openCoapHarness({ settings });
    harness.peer.send(request('POST', { messageId: 1, path: '/api/v1/tok/telemetry', payload: '{"a":1}' }));
    const answer = await harness.peer.expect('4141....7a');
    const sentMs = performance.now();
    assert.deepEqual(await harness.peer.next(mostMs + 300), answer);
    const firstMs = performance.now() - sentMs;
    assert.ok(firstMs > leastMs - 50 && firstMs < mostMs + 200, `${firstMs} ms`);
    assert.deepEqual(await harness.peer.next(2 * mostMs + 600), answer);
    const secondMs = performance.now() - sentMs - firstMs;
    assert.ok(Math.abs(secondMs - 2 * firstMs) < 300, `${firstMs} ms, then ${secondMs} ms`);
    harness.peer.answer(answer);
  });
}

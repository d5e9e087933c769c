/** Undated readings are sent while fresh or not at all, and the agent never sends one twice. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import { DeliveryHarness, settled } from './delivery-harness.ts';

/** A reading of just now, without its date. */
function undated(harness: DeliveryHarness, values: Values): void {
  harness.outbox.append({
    bootId: harness.clock.bootId,
    bootMs: harness.clock.bootMs(),
    values,
    isSnapshot: true,
  });
}

describe('an undated reading', () => {
  it('a fresh undated reading is sent without ts and leaves the outbox', async () => {
    const harness = new DeliveryHarness();
    undated(harness, { a: 1 });
    assert.deepEqual(await harness.step(), { type: 'delivered' });
    assert.deepEqual(harness.transport.telemetry, ['[{"a":1}]']);
    assert.equal(harness.outbox.size, 0);
  });

  it('an undated reading without response is not repeated and waits for its timestamp', async () => {
    const harness = new DeliveryHarness((_, index) => (index === 0 ? 'server-timeout' : 'ok'));
    undated(harness, { a: 1 });
    assert.equal((await harness.step()).type, 'failed');
    const idle = harness.step();
    await settled();
    assert.equal(harness.transport.calls.length, 1);
    undated(harness, { a: 2 });
    assert.deepEqual(await idle, { type: 'delivered' });
    assert.equal(harness.outbox.size, 1);
    await harness.outbox.setBootOffset(1_000_000);
    await harness.step();
    assert.deepEqual(harness.transport.telemetry, [
      '[{"a":1}]',
      '[{"a":2}]',
      `[{"ts":1000000,"values":{"a":1}}]`,
    ]);
    assert.equal(harness.outbox.size, 0);
  });

  it('an undated request ends after ten seconds, because the date would be wrong', async () => {
    const harness = new DeliveryHarness(() => 'never');
    undated(harness, { a: 1 });
    const step = harness.step();
    await settled();
    await harness.clock.advance(9_999);
    let ended = false;
    void step.then(() => {
      ended = true;
    });
    await settled();
    assert.equal(ended, false);
    await harness.clock.advance(1);
    const event = await step;
    assert.equal(event.type === 'failed' && event.failure.reason, 'server-timeout');
    assert.equal(harness.outbox.size, 1);
    assert.equal(harness.clock.sleeping, 0);
  });

  it('an old undated reading is not sent before it has a timestamp', async () => {
    const harness = new DeliveryHarness();
    undated(harness, { a: 1 });
    await harness.clock.advance(10_000);
    void harness.step();
    await settled();
    assert.deepEqual(harness.transport.calls, []);
    await harness.outbox.setBootOffset(1_000);
    await settled();
    assert.deepEqual(harness.transport.telemetry, ['[{"ts":1000,"values":{"a":1}}]']);
    harness.stop.abort();
  });

  it('an undated reading in flight is not moved to the backlog', async () => {
    let answer: () => void = () => {};
    const harness = new DeliveryHarness(async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return 'ok' as const;
    });
    undated(harness, { a: 0 });
    await harness.clock.advance(20_000);
    undated(harness, { a: 1 });
    const step = harness.step();
    await settled();
    await harness.outbox.flush();
    assert.equal(harness.outbox.backlog.size, 1);
    answer();
    assert.deepEqual(await step, { type: 'delivered' });
    assert.equal(harness.outbox.size, 1);
    await harness.outbox.setBootOffset(0);
    const before = harness.transport.calls.length;
    void harness.step();
    await settled();
    answer();
    await settled();
    assert.deepEqual(harness.transport.telemetry.slice(before), ['[{"ts":0,"values":{"a":0}}]']);
    harness.stop.abort();
  });

  it('a malformed undated reading is rejected and reported as lost', async () => {
    const harness = new DeliveryHarness((_, index) => (index === 0 ? 'request-malformed' : 'ok'));
    undated(harness, { a: 1 });
    assert.deepEqual(await harness.step(), { type: 'progressed' });
    assert.equal(harness.outbox.size, 0);
    assert.equal(harness.delivery.rejectedCount, 1);
    assert.equal(harness.outbox.losses.unreported, 1);
  });

  it('undated readings are sent one at a time in the order of sampling', async () => {
    const harness = new DeliveryHarness();
    for (let count = 1; count <= 20; count += 1) {
      undated(harness, { count });
      await harness.step();
      await harness.clock.advance(1_000);
    }
    const counts = harness.transport.telemetry.map((body) => JSON.parse(body)[0].count);
    assert.deepEqual(
      counts,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });
});

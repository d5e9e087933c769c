/** Readings without a date: while the clock is not right they go live or not at all, and never twice by our own doing. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import { DeliveryStage, settled } from './delivery-harness.ts';

/** A reading of just now, without its date. */
function undated(stage: DeliveryStage, values: Values): void {
  stage.outbox.append({ bootId: stage.clock.bootId, bootMs: stage.clock.bootMs(), values, full: true });
}

describe('a reading without a date', () => {
  it('goes without ts while it is fresh, and leaves the outbox', async () => {
    const stage = new DeliveryStage();
    undated(stage, { a: 1 });
    assert.deepEqual(await stage.step(), { type: 'delivered' });
    assert.deepEqual(stage.transport.telemetry, ['[{"a":1}]']);
    assert.equal(stage.outbox.size, 0);
  });

  it('is not sent again when its answer did not come: it waits for its date, and newer ones go', async () => {
    const stage = new DeliveryStage((_, index) => (index === 0 ? 'silent' : 'ok'));
    undated(stage, { a: 1 });
    assert.equal((await stage.step()).type, 'refused');
    const idle = stage.step();
    await settled();
    assert.equal(stage.transport.calls.length, 1);
    undated(stage, { a: 2 });
    assert.deepEqual(await idle, { type: 'delivered' });
    assert.equal(stage.outbox.size, 1);
    await stage.outbox.anchor(1_000_000);
    await stage.step();
    assert.deepEqual(stage.transport.telemetry, [
      '[{"a":1}]',
      '[{"a":2}]',
      `[{"ts":1000000,"values":{"a":1}}]`,
    ]);
    assert.equal(stage.outbox.size, 0);
  });

  it('is given up as live after ten seconds, because the server would date it wrongly', async () => {
    const stage = new DeliveryStage(() => 'never');
    undated(stage, { a: 1 });
    const step = stage.step();
    await settled();
    await stage.clock.advance(9_999);
    let ended = false;
    void step.then(() => {
      ended = true;
    });
    await settled();
    assert.equal(ended, false);
    await stage.clock.advance(1);
    const event = await step;
    assert.equal(event.type === 'refused' && event.refusal.reason, 'silent');
    assert.equal(stage.outbox.size, 1);
    assert.equal(stage.clock.sleeping, 0);
  });

  it('that is old already is not sent at all before its date is known', async () => {
    const stage = new DeliveryStage();
    undated(stage, { a: 1 });
    await stage.clock.advance(10_000);
    void stage.step();
    await settled();
    assert.deepEqual(stage.transport.calls, []);
    await stage.outbox.anchor(1_000);
    await settled();
    assert.deepEqual(stage.transport.telemetry, ['[{"ts":1000,"values":{"a":1}}]']);
    stage.stop.abort();
  });

  it('under way is not moved to the backlog, from where it would be stored a second time', async () => {
    let answer: () => void = () => {};
    const stage = new DeliveryStage(async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return 'ok' as const;
    });
    undated(stage, { a: 0 });
    await stage.clock.advance(20_000);
    undated(stage, { a: 1 });
    const step = stage.step();
    await settled();
    await stage.outbox.flush();
    assert.equal(stage.outbox.backlog.size, 1);
    answer();
    assert.deepEqual(await step, { type: 'delivered' });
    assert.equal(stage.outbox.size, 1);
    await stage.outbox.anchor(0);
    const before = stage.transport.calls.length;
    void stage.step();
    await settled();
    answer();
    await settled();
    assert.deepEqual(stage.transport.telemetry.slice(before), ['[{"ts":0,"values":{"a":0}}]']);
    stage.stop.abort();
  });

  it('that the server calls malformed is set aside and told as lost', async () => {
    const stage = new DeliveryStage((_, index) => (index === 0 ? 'malformed' : 'ok'));
    undated(stage, { a: 1 });
    assert.deepEqual(await stage.step(), { type: 'stepped' });
    assert.equal(stage.outbox.size, 0);
    assert.equal(stage.delivery.setAside, 1);
    assert.equal(stage.outbox.losses.untold, 1);
  });

  it('goes out in the order of sampling among its like, one at a time', async () => {
    const stage = new DeliveryStage();
    for (let count = 1; count <= 20; count += 1) {
      undated(stage, { count });
      await stage.step();
      await stage.clock.advance(1_000);
    }
    const counts = stage.transport.telemetry.map((body) => JSON.parse(body)[0].count);
    assert.deepEqual(
      counts,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });
});

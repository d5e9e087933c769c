/** Delivery: what leaves the outbox, and when. What a malformed reading does is in delivery-malformed.test.ts. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { RefusalReason } from '../../src/core/refusal.ts';
import { DeliveryStage, reading, settled, TOKEN, timesIn } from './delivery-stage.ts';

const SEED = { seed: 20_261_121, numRuns: 200 };
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('a reading leaves the outbox', () => {
  it('when the server accepted it, and is posted with the token once', async () => {
    const stage = new DeliveryStage();
    stage.append(1, 2, 3);
    assert.deepEqual(await stage.step(), { type: 'delivered' });
    assert.deepEqual(stage.transport.telemetry.flatMap(timesIn), [1, 2, 3]);
    assert.equal(stage.outbox.size, 0);
    assert.equal(stage.delivery.delivered, 3);
    assert.ok(stage.transport.calls.every((call) => call.verb === 'postTelemetry' && call.token === TOKEN));
  });

  it('not while the server refuses it, and its refusal is passed on as it is', async () => {
    const reasons: RefusalReason[] = ['silent', 'overloaded', 'unauthorized', 'unintelligible'];
    const stage = new DeliveryStage((_, index) => reasons[index] ?? 'ok');
    stage.append(1, 2);
    for (const reason of reasons) {
      assert.deepEqual(await stage.step(), {
        type: 'refused',
        refusal: { reason, detail: `seen: ${reason}` },
      });
      assert.equal(stage.outbox.size, 2);
    }
    assert.deepEqual(await stage.step(), { type: 'delivered' });
    assert.equal(stage.delivery.delivered, 2);
  });

  it('in the order in which it came, however many bodies it takes', async () => {
    const stage = new DeliveryStage();
    stage.append(...upTo(500));
    await stage.drain();
    assert.ok(stage.transport.telemetry.length > 5);
    assert.deepEqual(stage.transport.telemetry.flatMap(timesIn), upTo(500));
  });

  it('not when one of its bodies was refused: all of them are posted again', async () => {
    const stage = new DeliveryStage((_, index) => (index === 1 ? 'silent' : 'ok'));
    stage.outbox.append(reading(1, { a: 'x'.repeat(800), b: 'y'.repeat(800) }));
    assert.equal((await stage.step()).type, 'refused');
    assert.equal(stage.outbox.size, 1);
    await stage.step();
    assert.equal(stage.transport.telemetry.length, 4);
    assert.equal(stage.outbox.size, 0);
  });

  it('when the full outbox dropped it meanwhile; the newer ones are not acknowledged in its place', async () => {
    const stage = new DeliveryStage((_, index) => {
      if (index === 0) stage.append(4, 5);
      return 'ok';
    }, 3);
    stage.append(1, 2, 3);
    await stage.step();
    assert.deepEqual(
      stage.outbox.peek(9).map(({ tsMs }) => tsMs),
      [4, 5],
    );
  });

  it('exactly once, though the server refuses at random: all arrive, in order, none twice', async () => {
    const answers = fc.array(fc.constantFrom('ok', 'silent', 'overloaded'), { maxLength: 40 });
    const check = async (count: number, script: ('ok' | RefusalReason)[]) => {
      const accepted: number[] = [];
      const stage = new DeliveryStage((call, index) => {
        const answer = script[index] ?? 'ok';
        if (answer === 'ok' && call.verb === 'postTelemetry') accepted.push(...timesIn(call.body));
        return answer;
      });
      stage.append(...upTo(count));
      await stage.drain();
      assert.deepEqual(accepted, upTo(count));
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 200 }), answers, check), SEED);
  });
});

describe('a value too large for a datagram', () => {
  it('is left out and named, and the rest of its reading arrives', async () => {
    const stage = new DeliveryStage();
    stage.outbox.append(reading(1, { huge: 'x'.repeat(2_000), small: 1 }));
    await stage.step();
    assert.deepEqual(stage.transport.telemetry, ['[{"ts":1,"values":{"small":1}}]']);
    const [line] = stage.log.saying(/too large for one datagram/);
    assert.equal(line?.level, 'error');
    assert.deepEqual(line?.fields, { keys: 'huge', bytesMax: 940 });
  });

  it('alone in its reading sets that aside: nothing is posted, and nothing is said to have arrived', async () => {
    const stage = new DeliveryStage();
    stage.outbox.append(reading(1, { huge: 'x'.repeat(2_000) }));
    assert.deepEqual(await stage.drain(), [{ type: 'stepped' }]);
    assert.deepEqual(stage.transport.calls, []);
    assert.equal(stage.delivery.delivered, 0);
    assert.equal(stage.delivery.setAside, 1);
    assert.deepEqual(stage.log.saying('first telemetry accepted'), []);
  });
});

describe('waiting for something to deliver', () => {
  it('posts nothing while there is nothing, and the next reading at once', async () => {
    const stage = new DeliveryStage();
    const step = stage.step();
    await settled();
    assert.deepEqual(stage.transport.calls, []);
    stage.append(7);
    assert.deepEqual(await step, { type: 'delivered' });
    assert.deepEqual(stage.transport.telemetry.flatMap(timesIn), [7]);
  });

  it('ends with the signal, without a request, as a refusal named aborted', async () => {
    const stage = new DeliveryStage();
    const step = stage.step();
    await settled();
    stage.stop.abort();
    const event = await step;
    assert.equal(event.type === 'refused' && event.refusal.reason, 'aborted');
    assert.deepEqual(stage.transport.calls, []);
  });

  it('does not begin after the signal, even if there is a reading', async () => {
    const stage = new DeliveryStage();
    stage.append(1);
    stage.stop.abort();
    assert.equal((await stage.step()).type, 'refused');
    assert.deepEqual(stage.transport.calls, []);
  });

  it('leaves no listener in the signal, however often it waited', async () => {
    const stage = new DeliveryStage();
    for (const tsMs of upTo(100)) {
      const step = stage.step();
      stage.append(tsMs);
      await step;
    }
    assert.equal(getEventListeners(stage.stop.signal, 'abort').length, 0);
  });
});

it('the first accepted telemetry is told once, with the time it took', async () => {
  const stage = new DeliveryStage(async (_, index) => {
    if (index === 0) return 'malformed';
    await stage.clock.advance(250);
    return 'ok';
  });
  stage.append(1, 2, 3);
  await stage.drain();
  assert.deepEqual(stage.log.saying('first telemetry accepted'), [
    { level: 'info', message: 'first telemetry accepted', fields: { afterMs: 250 } },
  ]);
});

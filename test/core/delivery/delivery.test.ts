/** Delivery: what leaves the outbox, and when. What a refused reading does is in delivery-refused.test.ts. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { RefusalReason } from '../../../src/core/failures/failure.ts';
import { DeliveryStage, reading, settled, TOKEN, timesIn } from './delivery-harness.ts';

const SEED = { seed: 20_261_121, numRuns: 200 };
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const sorted = (times: readonly number[]) => [...times].sort((a, b) => a - b);

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
    const reasons: RefusalReason[] = ['silent', 'unauthorized', 'unintelligible'];
    const stage = new DeliveryStage((_, index) => reasons[index] ?? 'ok');
    stage.append(1, 2);
    for (const reason of reasons) {
      const refusal = { reason, detail: `seen: ${reason}` };
      assert.deepEqual(await stage.step(), { type: 'refused', refusal });
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

  it('not when one of its bodies was refused: all of them are posted again, byte for byte', async () => {
    const stage = new DeliveryStage((_, index) => (index === 1 ? 'silent' : 'ok'));
    stage.outbox.append(reading(1, { a: 'x'.repeat(800), b: 'y'.repeat(800) }));
    assert.equal((await stage.step()).type, 'refused');
    assert.equal(stage.outbox.size, 1);
    await stage.step();
    const { telemetry } = stage.transport;
    assert.equal(telemetry.length, 4);
    assert.deepEqual(telemetry.slice(2), telemetry.slice(0, 2));
    assert.equal(stage.outbox.size, 0);
  });

  it('once, though the disk took it over while its answer was on the way: it is posted again, with its date', async () => {
    const stage = new DeliveryStage(async (_, index) => {
      if (index === 0) await stage.outbox.flush();
      return 'ok' as const;
    });
    stage.append(1, 2);
    await stage.step();
    assert.equal(stage.outbox.size, 2);
    await stage.drain();
    assert.deepEqual(stage.transport.telemetry.flatMap(timesIn), [1, 2, 1, 2]);
  });

  it('exactly once, though the server refuses at random: all arrive, in order, none twice', async () => {
    const answers = fc.array(fc.constantFrom('ok', 'silent', 'unauthorized'), { maxLength: 40 });
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

describe('a backlog', () => {
  it('goes behind what is fresh', async () => {
    const stage = new DeliveryStage();
    await stage.appendBacklog(...upTo(200));
    stage.append(1_000);
    await stage.patientStep();
    assert.deepEqual(timesIn(stage.transport.telemetry[0] ?? ''), [1_000]);
    await stage.drain();
    assert.deepEqual(sorted(stage.transport.telemetry.flatMap(timesIn)), [...upTo(200), 1_000]);
  });

  it('goes at its pace, and what is fresh does not wait for it', async () => {
    const stage = new DeliveryStage(undefined, { drainPerS: 2 });
    await stage.appendBacklog(...upTo(300));
    const startedMs = stage.clock.monotonicMs();
    let steps = 0;
    for (; stage.outbox.backlog.size > 0; steps += 1) {
      if (steps === 3) stage.append(5_000);
      await stage.patientStep();
      if (steps === 3) assert.ok(stage.transport.telemetry.some((body) => timesIn(body).includes(5_000)));
    }
    const messages = stage.transport.telemetry.length - 1;
    const tookS = (stage.clock.monotonicMs() - startedMs) / 1000;
    assert.ok(messages > 5, `${messages}`);
    assert.ok(Math.abs(tookS - (messages - 1) / 2) <= 0.5, `${messages} messages in ${tookS} s`);
  });

  it('has three requests under way, and what is fresh always finds a place beside them', async () => {
    const stage = new DeliveryStage(() => 'never', { drainPerS: Number.POSITIVE_INFINITY });
    await stage.appendBacklog(...upTo(500));
    void stage.step();
    await settled();
    assert.equal(stage.transport.calls.length, 3);
    stage.append(9_000);
    await settled();
    assert.equal(stage.transport.calls.length, 4);
    assert.deepEqual(timesIn(stage.transport.telemetry[3] ?? ''), [9_000]);
    stage.append(9_001);
    await settled();
    assert.equal(stage.transport.calls.length, 4);
    stage.stop.abort();
  });

  it('leaves the outbox in its own order though it is answered in another', async () => {
    const release: (() => void)[] = [];
    const stage = new DeliveryStage(
      async (_, index) => {
        await new Promise<void>((resolve) => {
          release[index] = resolve;
        });
        return 'ok' as const;
      },
      { drainPerS: Number.POSITIVE_INFINITY },
    );
    await stage.appendBacklog(...upTo(90));
    const first = stage.step();
    await settled();
    release[2]?.();
    release[1]?.();
    assert.deepEqual(await first, { type: 'delivered' });
    assert.equal(stage.outbox.backlog.size, 90);
    release[0]?.();
    await settled();
    const inThree = stage.transport.telemetry.slice(0, 3).flatMap(timesIn).length;
    assert.equal(stage.outbox.backlog.size, 90 - inThree);
    stage.stop.abort();
  });

  it('after trouble is tried with one message, and goes on after a random part of the spread', async () => {
    let troubled = true;
    const stage = new DeliveryStage(() => (troubled ? 'silent' : 'ok'), { drainSpreadMs: 60_000 });
    await stage.appendBacklog(...upTo(200));
    assert.equal((await stage.patientStep()).type, 'refused');
    await settled();
    troubled = false;
    const before = stage.transport.calls.length;
    const againMs = stage.clock.monotonicMs();
    assert.deepEqual(await stage.patientStep(), { type: 'delivered' });
    assert.equal(stage.transport.calls.length, before + 1);
    assert.equal(stage.clock.monotonicMs(), againMs);
    await stage.patientStep();
    assert.equal(stage.clock.monotonicMs() - againMs, 30_000); // the dice say one half
  });

  it('of three refused in one outage is one refusal for the session', async () => {
    const stage = new DeliveryStage(() => 'silent', { drainPerS: Number.POSITIVE_INFINITY });
    await stage.appendBacklog(...upTo(200));
    assert.equal((await stage.step()).type, 'refused');
    await settled();
    const before = stage.transport.calls.length;
    assert.ok(before <= 3, `${before}`);
    assert.equal((await stage.step()).type, 'refused');
    assert.equal(stage.transport.calls.length, before + 1);
  });

  it('that has gone asks for a full reading, because its last values came after fresher ones', async () => {
    const stage = new DeliveryStage();
    stage.append(1);
    await stage.step();
    assert.equal(stage.outbox.wantsFull, false);
    await stage.appendBacklog(2);
    await stage.patientStep();
    assert.equal(stage.outbox.wantsFull, true);
    stage.append(3);
    assert.equal(stage.outbox.wantsFull, false);
    assert.equal(stage.log.saying('everything that waited is delivered').length, 1);
  });
});

describe('a value too large for a datagram', () => {
  it('is left out and named once, and the rest of its reading arrives', async () => {
    const stage = new DeliveryStage();
    stage.outbox.append(reading(1, { huge: 'x'.repeat(2_000), small: 1 }));
    await stage.step();
    stage.outbox.append(reading(2, { huge: 'x'.repeat(2_000), small: 2 }));
    await stage.step();
    assert.deepEqual(stage.transport.telemetry, [
      '[{"ts":1,"values":{"small":1}}]',
      '[{"ts":2,"values":{"small":2}}]',
    ]);
    const lines = stage.log.saying(/too large for one datagram/);
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields]),
      [['error', { keys: 'huge', bytesMax: 940 }]],
    );
  });

  it('alone in its reading sets that aside, and it is told as lost', async () => {
    const stage = new DeliveryStage();
    stage.outbox.append(reading(1, { huge: 'x'.repeat(2_000) }));
    assert.deepEqual(await stage.step(), { type: 'stepped' });
    assert.deepEqual(stage.transport.calls, []);
    assert.equal(stage.delivery.delivered, 0);
    assert.equal(stage.delivery.setAside, 1);
    assert.equal(stage.outbox.losses.untold, 1);
  });
});

describe('losses', () => {
  it('are told to a server that listens, as one gap record with its own date', async () => {
    const stage = new DeliveryStage();
    stage.outbox.losses.add({ readings: 7, why: 'memory full', fromMs: 1, toMs: 9 });
    stage.append(100);
    await stage.step();
    assert.equal(stage.outbox.fresh.size, 1);
    await stage.step();
    const [gap] = JSON.parse(stage.transport.telemetry[1] ?? '[]');
    assert.deepEqual(gap, {
      ts: stage.clock.wallMs(),
      values: { lostReadings: 7, lostFromMs: 1, lostToMs: 9, lostWhy: 'memory full' },
    });
    assert.equal(stage.log.saying(/readings were lost/)[0]?.level, 'warn');
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

  it('leaves no listener in the signal and no sleeper in the clock, however often it waited', async () => {
    const stage = new DeliveryStage();
    for (const tsMs of upTo(100)) {
      const step = stage.step();
      stage.append(tsMs);
      await step;
    }
    await settled();
    assert.equal(getEventListeners(stage.stop.signal, 'abort').length, 0);
    assert.equal(stage.clock.sleeping, 0);
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

it('a bug in the transport ends the step with it, and is not swallowed', async () => {
  const stage = new DeliveryStage(() => {
    throw new Error('planted');
  });
  stage.append(1);
  await assert.rejects(stage.step(), /planted/);
});

/** What leaves the outbox, and when. Rejected readings are in batch-result.test.ts. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { FailureReason } from '../../../src/core/failures/failure.ts';
import type { Script } from '../../doubles/scripted-transport.ts';
import { repetitions } from '../../repetitions.ts';
import { DeliveryHarness, reading, settled, TOKEN, timesIn } from './delivery-harness.ts';

const SEED = { seed: 20_261_121, numRuns: repetitions(200, 60) };
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const sorted = (times: readonly number[]) => [...times].sort((a, b) => a - b);

describe('a reading in the outbox', () => {
  it('a reading is posted once with the token and leaves the outbox when accepted', async () => {
    const harness = new DeliveryHarness();
    harness.append(1, 2, 3);
    assert.deepEqual(await harness.step(), { type: 'delivered' });
    assert.deepEqual(harness.transport.telemetry.flatMap(timesIn), [1, 2, 3]);
    assert.equal(harness.outbox.size, 0);
    assert.equal(harness.delivery.delivered, 3);
    assert.ok(harness.transport.calls.every((call) => call.verb === 'postTelemetry' && call.token === TOKEN));
  });

  it('a reading stays while the server rejects it, and the failure is passed on', async () => {
    const reasons: FailureReason[] = ['server-timeout', 'unauthorized', 'unexpected-response'];
    const harness = new DeliveryHarness((_, index) => reasons[index] ?? 'ok');
    harness.append(1, 2);
    for (const reason of reasons) {
      const failure = { reason, detail: `seen: ${reason}` };
      assert.deepEqual(await harness.step(), { type: 'failed', failure });
      assert.equal(harness.outbox.size, 2);
    }
    assert.deepEqual(await harness.step(), { type: 'delivered' });
    assert.equal(harness.delivery.delivered, 2);
  });

  it('readings leave in order, even if one needs several bodies', async () => {
    const harness = new DeliveryHarness();
    harness.append(...upTo(500));
    await harness.drain();
    assert.ok(harness.transport.telemetry.length > 5);
    assert.deepEqual(harness.transport.telemetry.flatMap(timesIn), upTo(500));
  });

  it('a split reading is posted again unchanged if one of its bodies failed', async () => {
    const harness = new DeliveryHarness((_, index) => (index === 1 ? 'server-timeout' : 'ok'));
    harness.outbox.append(reading(1, { a: 'x'.repeat(800), b: 'y'.repeat(800) }));
    assert.equal((await harness.step()).type, 'failed');
    assert.equal(harness.outbox.size, 1);
    await harness.step();
    const { telemetry } = harness.transport;
    assert.equal(telemetry.length, 4);
    assert.deepEqual(telemetry.slice(2), telemetry.slice(0, 2));
    assert.equal(harness.outbox.size, 0);
  });

  it('a reading that was flushed while in flight is posted again with its timestamp', async () => {
    const harness = new DeliveryHarness(async (_, index) => {
      if (index === 0) await harness.outbox.flush();
      return 'ok' as const;
    });
    harness.append(1, 2);
    await harness.step();
    assert.equal(harness.outbox.size, 2);
    await harness.drain();
    assert.deepEqual(harness.transport.telemetry.flatMap(timesIn), [1, 2, 1, 2]);
  });

  it('all readings arrive once and in order if the server fails at random', async () => {
    const answers = fc.array(fc.constantFrom('ok', 'server-timeout', 'unauthorized'), { maxLength: 40 });
    const check = async (count: number, script: ('ok' | FailureReason)[]) => {
      const accepted: number[] = [];
      const harness = new DeliveryHarness((call, index) => {
        const answer = script[index] ?? 'ok';
        if (answer === 'ok' && call.verb === 'postTelemetry') accepted.push(...timesIn(call.body));
        return answer;
      });
      harness.append(...upTo(count));
      await harness.drain();
      assert.deepEqual(accepted, upTo(count));
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 200 }), answers, check), SEED);
  });
});

describe('a backlog', () => {
  it('the backlog is sent after fresh readings', async () => {
    const harness = new DeliveryHarness();
    await harness.appendBacklog(...upTo(200));
    harness.append(1_000);
    await harness.stepWithin();
    assert.deepEqual(timesIn(harness.transport.telemetry[0] ?? ''), [1_000]);
    await harness.drain();
    assert.deepEqual(sorted(harness.transport.telemetry.flatMap(timesIn)), [...upTo(200), 1_000]);
  });

  it('the backlog is sent at its rate, and fresh readings do not wait for it', async () => {
    const harness = new DeliveryHarness(undefined, { drainPerS: 2 });
    await harness.appendBacklog(...upTo(300));
    const startedMs = harness.clock.monotonicMs();
    let steps = 0;
    for (; harness.outbox.backlog.size > 0; steps += 1) {
      if (steps === 3) harness.append(5_000);
      await harness.stepWithin();
      if (steps === 3) assert.ok(harness.transport.telemetry.some((body) => timesIn(body).includes(5_000)));
    }
    const messages = harness.transport.telemetry.length - 1;
    const tookS = (harness.clock.monotonicMs() - startedMs) / 1000;
    assert.ok(messages > 5, `${messages}`);
    assert.ok(Math.abs(tookS - (messages - 1) / 2) <= 0.5, `${messages} messages in ${tookS} s`);
  });

  it('the backlog uses at most three requests in flight, and fresh ones one more', async () => {
    const harness = new DeliveryHarness(() => 'never', { drainPerS: Number.POSITIVE_INFINITY });
    await harness.appendBacklog(...upTo(500));
    void harness.step();
    await settled();
    assert.equal(harness.transport.calls.length, 3);
    harness.append(9_000);
    await settled();
    assert.equal(harness.transport.calls.length, 4);
    assert.deepEqual(timesIn(harness.transport.telemetry[3] ?? ''), [9_000]);
    harness.append(9_001);
    await settled();
    assert.equal(harness.transport.calls.length, 4);
    harness.stop.abort();
  });

  it('the backlog leaves the outbox in order if responses arrive out of order', async () => {
    const release: (() => void)[] = [];
    const harness = new DeliveryHarness(
      async (_, index) => {
        await new Promise<void>((resolve) => {
          release[index] = resolve;
        });
        return 'ok' as const;
      },
      { drainPerS: Number.POSITIVE_INFINITY },
    );
    await harness.appendBacklog(...upTo(90));
    const first = harness.step();
    await settled();
    release[2]?.();
    release[1]?.();
    assert.deepEqual(await first, { type: 'delivered' });
    assert.equal(harness.outbox.backlog.size, 90);
    release[0]?.();
    await settled();
    const inThree = harness.transport.telemetry.slice(0, 3).flatMap(timesIn).length;
    assert.equal(harness.outbox.backlog.size, 90 - inThree);
    harness.stop.abort();
  });

  it('after an outage the backlog sends one message, then waits part of the spread', async () => {
    let hasOutage = true;
    const harness = new DeliveryHarness(() => (hasOutage ? 'server-timeout' : 'ok'), {
      drainSpreadMs: 60_000,
    });
    await harness.appendBacklog(...upTo(200));
    assert.equal((await harness.stepWithin()).type, 'failed');
    await settled();
    hasOutage = false;
    const before = harness.transport.calls.length;
    const againMs = harness.clock.monotonicMs();
    assert.deepEqual(await harness.stepWithin(), { type: 'delivered' });
    assert.equal(harness.transport.calls.length, before + 1);
    assert.equal(harness.clock.monotonicMs(), againMs);
    await harness.stepWithin();
    assert.equal(harness.clock.monotonicMs() - againMs, 30_000); // the dice say one half
  });

  it('three failed backlog requests in one outage are one failure of the session', async () => {
    const harness = new DeliveryHarness(() => 'server-timeout', { drainPerS: Number.POSITIVE_INFINITY });
    await harness.appendBacklog(...upTo(200));
    assert.equal((await harness.step()).type, 'failed');
    await settled();
    const before = harness.transport.calls.length;
    assert.ok(before <= 3, `${before}`);
    assert.equal((await harness.step()).type, 'failed');
    assert.equal(harness.transport.calls.length, before + 1);
  });

  it('a drained backlog asks for a snapshot, because its values arrived late', async () => {
    const harness = new DeliveryHarness();
    harness.append(1);
    await harness.step();
    assert.equal(harness.outbox.needsSnapshot, false);
    await harness.appendBacklog(2);
    await harness.stepWithin();
    assert.equal(harness.outbox.needsSnapshot, true);
    harness.append(3);
    assert.equal(harness.outbox.needsSnapshot, false);
    assert.equal(harness.log.withMessage('the backlog has been delivered').length, 1);
  });
});

describe('a value too large for a datagram', () => {
  it('an oversized value is omitted and logged once, and the rest is delivered', async () => {
    const harness = new DeliveryHarness();
    harness.outbox.append(reading(1, { huge: 'x'.repeat(2_000), small: 1 }));
    await harness.step();
    harness.outbox.append(reading(2, { huge: 'x'.repeat(2_000), small: 2 }));
    await harness.step();
    assert.deepEqual(harness.transport.telemetry, [
      '[{"ts":1,"values":{"small":1}}]',
      '[{"ts":2,"values":{"small":2}}]',
    ]);
    const lines = harness.log.withMessage(/too large for one datagram/);
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields]),
      [['error', { keys: 'huge', bytesMax: 940 }]],
    );
  });

  it('a reading with only an oversized value is rejected and reported as lost', async () => {
    const harness = new DeliveryHarness();
    harness.outbox.append(reading(1, { huge: 'x'.repeat(2_000) }));
    assert.deepEqual(await harness.step(), { type: 'progressed' });
    assert.deepEqual(harness.transport.calls, []);
    assert.equal(harness.delivery.delivered, 0);
    assert.equal(harness.delivery.rejectedCount, 1);
    assert.equal(harness.outbox.losses.unreported, 1);
  });
});

describe('losses', () => {
  it('losses are reported to a responding server in one gap record', async () => {
    const harness = new DeliveryHarness();
    harness.outbox.losses.add({ readings: 7, reason: 'memory full', fromMs: 1, toMs: 9 });
    harness.append(100);
    await harness.step();
    assert.equal(harness.outbox.fresh.size, 1);
    await harness.step();
    const [gap] = JSON.parse(harness.transport.telemetry[1] ?? '[]');
    assert.deepEqual(gap, {
      ts: harness.clock.wallMs(),
      values: { lostReadings: 7, lostFromMs: 1, lostToMs: 9, lostWhy: 'memory full' },
    });
    assert.equal(harness.log.withMessage(/readings were lost/)[0]?.level, 'warn');
  });
});

describe('waiting for something to deliver', () => {
  it('delivery posts nothing while the outbox is empty, then a reading at once', async () => {
    const harness = new DeliveryHarness();
    const step = harness.step();
    await settled();
    assert.deepEqual(harness.transport.calls, []);
    harness.append(7);
    assert.deepEqual(await step, { type: 'delivered' });
    assert.deepEqual(harness.transport.telemetry.flatMap(timesIn), [7]);
  });

  it('a wait for a reading ends with the signal as the failure aborted', async () => {
    const harness = new DeliveryHarness();
    const step = harness.step();
    await settled();
    harness.stop.abort();
    const event = await step;
    assert.equal(event.type === 'failed' && event.failure.reason, 'aborted');
    assert.deepEqual(harness.transport.calls, []);
  });

  it('delivery does not start after the signal aborted, even with a reading queued', async () => {
    const harness = new DeliveryHarness();
    harness.append(1);
    harness.stop.abort();
    assert.equal((await harness.step()).type, 'failed');
    assert.deepEqual(harness.transport.calls, []);
  });

  it('waits for a reading leave no listener and no sleeper behind', async () => {
    const harness = new DeliveryHarness();
    for (const tsMs of upTo(100)) {
      const step = harness.step();
      harness.append(tsMs);
      await step;
    }
    await settled();
    assert.equal(getEventListeners(harness.stop.signal, 'abort').length, 0);
    assert.equal(harness.clock.sleeping, 0);
  });
});

describe('the notification of accepted telemetry', () => {
  it('has the time of the newest reading of this boot, once for each accepted message', async () => {
    const harness = new DeliveryHarness((_, index) => (index === 0 ? 'server-timeout' : 'ok'));
    await harness.clock.advance(5000);
    harness.sample();
    await harness.clock.advance(1000);
    harness.sample();
    assert.equal((await harness.step()).type, 'failed');
    assert.deepEqual(harness.acceptedBootMs, []);
    await harness.drain();
    assert.deepEqual(harness.acceptedBootMs, [6000]);
  });

  it('has no time for readings of another boot and for gap records', async () => {
    const harness = new DeliveryHarness();
    harness.append(1, 2);
    await harness.drain();
    harness.outbox.append({ ...harness.now(), values: { lostReadings: 1 }, isSnapshot: false, gap: true });
    await harness.drain();
    assert.deepEqual(harness.acceptedBootMs, [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  });

  it('has the time of a reading without a timestamp', async () => {
    const harness = new DeliveryHarness();
    await harness.clock.advance(7000);
    const { bootId, bootMs } = harness.now();
    harness.outbox.append({ bootId, bootMs, values: { a: 1 }, isSnapshot: true });
    await harness.step();
    assert.deepEqual(harness.acceptedBootMs, [7000]);
  });
});

it('the first accepted telemetry is logged once with its duration', async () => {
  const harness = new DeliveryHarness(async (_, index) => {
    if (index === 0) return 'request-malformed';
    await harness.clock.advance(250);
    return 'ok';
  });
  harness.append(1, 2, 3);
  await harness.drain();
  assert.deepEqual(harness.log.withMessage('first telemetry accepted'), [
    { level: 'info', message: 'first telemetry accepted', fields: { afterMs: 250 } },
  ]);
});

it('an exception of the transport rejects the step', async () => {
  const harness = new DeliveryHarness(() => {
    throw new Error('planted');
  });
  harness.append(1);
  await assert.rejects(harness.step(), /planted/);
});

describe('a delivery that gathers readings for 30 s', () => {
  /** Samples every 10 s for `seconds`; the times of the readings in each accepted message. */
  async function messagesOf(seconds: number, script?: Script): Promise<readonly (readonly number[])[]> {
    const harness = new DeliveryHarness(script, { sendEveryMs: 30_000 });
    const delivering = (async () => {
      while (!harness.stop.signal.aborted) {
        const event = await harness.step();
        if (event.type === 'failed') await harness.clock.sleep(10_000, harness.stop.signal);
      }
    })();
    for (let second = 0; second < seconds; second += 10) {
      harness.sample();
      await harness.clock.advance(10_000);
    }
    harness.stop.abort();
    await delivering;
    const startMs = harness.clock.wallMs() - harness.clock.monotonicMs();
    return harness.transport.telemetry.map((body) => timesIn(body).map((ms) => (ms - startMs) / 1_000));
  }

  it('the first reading is sent at once, the others three at a time, each once and in order', async () => {
    const messages = await messagesOf(300);
    assert.deepEqual(messages[0], [0]);
    // The first gap ends with the reading of the same moment, which comes just after it.
    assert.deepEqual(
      messages.slice(1, -1).map((times) => times.length),
      [2, 3, 3, 3, 3, 3, 3, 3, 3].slice(0, messages.length - 2),
    );
    const times = messages.flat();
    assert.deepEqual(
      times,
      [...times.keys()].map((index) => index * 10),
    );
    assert.ok(messages.flat().length >= 28, `${messages.flat().length}`);
  });

  it('an outage that the backlog meets ends the gathering', async () => {
    let isUp = true;
    const harness = new DeliveryHarness(() => (isUp ? 'ok' : 'server-timeout'), { sendEveryMs: 30_000 });
    harness.sample();
    assert.equal((await harness.step()).type, 'delivered');
    isUp = false;
    await harness.appendBacklog(1);
    assert.equal((await harness.stepWithin()).type, 'failed');
    isUp = true;
    harness.sample();
    const askedAtMs = harness.clock.monotonicMs();
    assert.ok(askedAtMs < 10_000, `${askedAtMs}`);
    assert.equal((await harness.stepWithin()).type, 'delivered');
    assert.ok(harness.clock.monotonicMs() < 10_000, `${harness.clock.monotonicMs()}`);
    assert.ok(
      (harness.transport.telemetry.at(-1) ?? '').includes(
        String(harness.clock.wallMs() - harness.clock.monotonicMs() + askedAtMs),
      ),
    );
  });

  it('an outage is asked about without gathering', async () => {
    let posts = 0;
    await messagesOf(300, () => {
      posts += 1;
      return 'server-timeout';
    });
    assert.ok(posts >= 28, `${posts}`);
  });
});

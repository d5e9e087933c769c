/**
 * A reading that the server rejects, malformed (4.00) or with repeated internal errors (5.00, trap 11), does
 * not affect other readings. A server that rejects everything costs few readings, and each is reported as
 * lost.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { SessionEvent } from '../../../src/core/session/state.ts';
import type { Script } from '../../doubles/scripted-transport.ts';
import { repetitions } from '../../repetitions.ts';
import { DeliveryHarness, reading, timesIn } from './delivery-harness.ts';

const SEED = { seed: 20_261_121, numRuns: repetitions(200, 60) };
const REJECTED = /rejected one reading as malformed/;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** A server that calls every body with one of these readings malformed. */
const rejecting =
  (...bad: readonly number[]): Script =>
  (call) =>
    call.verb === 'postTelemetry' && timesIn(call.body).some((tsMs) => bad.includes(tsMs))
      ? 'request-malformed'
      : 'ok';

describe('a malformed reading', () => {
  it('a single malformed reading is rejected, counted and logged as an error', async () => {
    const harness = new DeliveryHarness(rejecting(1));
    harness.append(1);
    assert.deepEqual(await harness.step(), { type: 'progressed' });
    assert.equal(harness.outbox.size, 0);
    assert.equal(harness.delivery.rejectedCount, 1);
    assert.equal(harness.delivery.delivered, 0);
    assert.equal(harness.log.withMessage(/rejected one reading as malformed/)[0]?.level, 'error');
  });

  it('splits a malformed batch until the bad reading is isolated', async () => {
    const harness = new DeliveryHarness(rejecting(5));
    harness.append(...upTo(8));
    const events = await harness.drain();
    // The last one is the gap record.
    assert.equal(events.filter(({ type }) => type === 'delivered').length, 4);
    assert.equal(events.filter(({ type }) => type === 'progressed').length, 4);
    assert.deepEqual(harness.transport.telemetry.map(timesIn).slice(0, -1), [
      [1, 2, 3, 4, 5, 6, 7, 8],
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [5, 6],
      [5],
      [6],
      [7, 8],
    ]);
    assert.equal(harness.delivery.rejectedCount, 1);
    assert.equal(harness.delivery.delivered, 7 + 1);
    const [gap] = JSON.parse(harness.transport.telemetry.at(-1) ?? '');
    assert.deepEqual(gap.values, {
      lostReadings: 1,
      lostFromMs: 5,
      lostToMs: 5,
      lostWhy: 'malformed',
    });
  });

  it('malformed readings never discard a good one', async () => {
    const check = async (count: number, bad: number[]) => {
      const harness = new DeliveryHarness(rejecting(...bad));
      harness.append(...upTo(count));
      await harness.drain();
      const malformed = upTo(count).filter((tsMs) => bad.includes(tsMs)).length;
      assert.equal(harness.delivery.rejectedCount, malformed);
      const delivered = new Set(harness.transport.telemetry.flatMap(timesIn).filter((tsMs) => tsMs <= count));
      assert.equal(delivered.size, count);
      assert.equal(harness.outbox.size, 0);
    };
    const some = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 20 });
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 100 }), some, check), SEED);
  });

  it('a malformed reading does not make the following batches smaller', async () => {
    const harness = new DeliveryHarness(rejecting(1));
    harness.append(...upTo(20));
    await harness.drain();
    harness.append(...upTo(40).slice(20));
    await harness.drain();
    const last = harness.transport.telemetry.map(timesIn).at(-1) ?? [];
    assert.ok(last.length > 15, `${last.length}`);
  });
});

describe('a server that rejects everything as malformed', () => {
  const everything: Script = () => 'request-malformed';
  const outcome = (event: SessionEvent) => (event.type === 'failed' ? event.failure.reason : event.type);

  /** What each of `count` steps leads to, one reading at a time from the first on. */
  async function outcomes(harness: DeliveryHarness, count: number): Promise<string[]> {
    const events: string[] = [];
    for (let step = 0; step < count; step += 1) events.push(outcome(await harness.step()));
    return events;
  }

  it('a server that rejects everything costs one reading per wait', async () => {
    const harness = new DeliveryHarness(everything);
    harness.append(1);
    await harness.step();
    harness.append(2, 3);
    assert.deepEqual(await outcomes(harness, 5), [
      'progressed',
      'request-malformed',
      'progressed',
      'request-malformed',
      'progressed',
    ]);
    assert.equal(harness.delivery.rejectedCount, 3);
  });

  it('a reading retained during a wait is tried first after it', async () => {
    const harness = new DeliveryHarness(everything);
    harness.append(1, 2, 3);
    while (harness.delivery.rejectedCount === 0) await harness.step();
    assert.deepEqual(await outcomes(harness, 1), ['request-malformed']);
    const before = harness.outbox.size;
    assert.equal(before, 2);
    await harness.step();
    assert.deepEqual(harness.transport.telemetry.map(timesIn).slice(-2), [[2], [2]]);
    assert.equal(harness.outbox.size, 1);
  });

  it('a server that rejects everything costs at most 5 of 100 readings in 10 steps', async () => {
    const harness = new DeliveryHarness(everything);
    harness.append(...upTo(100));
    // Ten steps from the first lone reading on: the halvings before it lose nothing.
    while (harness.delivery.rejectedCount === 0) assert.equal(outcome(await harness.step()), 'progressed');
    const before = harness.outbox.size;
    assert.equal(before, 99);
    await outcomes(harness, 10);
    const lost = before - harness.outbox.size;
    assert.ok(lost >= 1 && lost <= 5, `${lost}`);
    assert.equal(harness.delivery.rejectedCount, 100 - harness.outbox.size);
    const logged = harness.log.withMessage(REJECTED);
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields['rejectedReadings']]),
      upTo(harness.delivery.rejectedCount).map((count) => ['error', count]),
    );
  });

  it('after an accepted reading the next malformed one is discarded without a wait', async () => {
    const harness = new DeliveryHarness(rejecting(1, 3));
    for (const [tsMs, expected] of [
      [1, 'progressed'],
      [2, 'delivered'],
      [3, 'progressed'],
    ] as const) {
      harness.append(tsMs);
      assert.deepEqual(await outcomes(harness, 1), [expected]);
    }
  });

  it('a timeout between malformed readings does not count as accepted', async () => {
    const answers = [
      'request-malformed',
      'server-timeout',
      'request-malformed',
      'unauthorized',
      'request-malformed',
    ] as const;
    const harness = new DeliveryHarness((_, index) => answers[index] ?? 'ok');
    harness.append(1);
    await harness.step();
    harness.append(2);
    assert.deepEqual(await outcomes(harness, 4), [
      'server-timeout',
      'request-malformed',
      'unauthorized',
      'progressed',
    ]);
  });
});

describe('a reading with an internal error as response', () => {
  /** A server that answers 5.00 to every body with one of these readings. */
  const rejectingServer =
    (...bad: readonly number[]): Script =>
    (call) =>
      call.verb === 'postTelemetry' && timesIn(call.body).some((tsMs) => bad.includes(tsMs))
        ? 'server-overloaded'
        : 'ok';

  /** A session that waits a second after each failure, and a fresh reading every ten, while `ms` pass. */
  async function passing(harness: DeliveryHarness, ms: number): Promise<void> {
    let isOver = false;
    const session = (async () => {
      while (!isOver) {
        const { type } = await harness.step();
        if (type === 'failed') await harness.clock.sleep(1_000, harness.stop.signal);
      }
    })();
    for (let passedMs = 0; passedMs < ms; passedMs += 10_000) {
      harness.append(1_000_000 + harness.clock.monotonicMs());
      await harness.clock.advance(10_000);
    }
    isOver = true;
    harness.append(1_000_000 + harness.clock.monotonicMs());
    await harness.clock.advance(1_000);
    await session;
  }

  it('a reading with internal errors is isolated and rejected after minutes', async () => {
    const harness = new DeliveryHarness(rejectingServer(5));
    await harness.appendBacklog(...upTo(8));
    await passing(harness, 60_000);
    assert.equal(harness.delivery.rejectedCount, 0, 'a minute is too early to give up');
    await passing(harness, 3_600_000);
    assert.equal(harness.delivery.rejectedCount, 1);
    assert.equal(harness.outbox.backlog.size, 0);
    const gaps = harness.transport.telemetry.filter((body) => body.includes('lostReadings'));
    assert.equal(gaps.length, 1);
    assert.match(gaps[0] ?? '', /"lostFromMs":5,"lostToMs":5,"lostWhy":"refused"/);
    assert.equal(
      harness.log.withMessage(/responds to one reading with an internal error/)[0]?.level,
      'error',
    );
  });

  it('internal errors for all readings are an overload, and no reading is rejected', async () => {
    const harness = new DeliveryHarness(() => 'server-overloaded');
    harness.append(1, 2, 3);
    const events = [];
    for (let step = 0; step < 50; step += 1) events.push(await harness.stepWithin());
    assert.ok(
      events.every((event) => event.type === 'failed' && event.failure.reason === 'server-overloaded'),
    );
    assert.equal(harness.delivery.rejectedCount, 0);
    assert.equal(harness.outbox.size, 3);
  });

  it('an internal error with a retry time reaches the session at once', async () => {
    const named = { reason: 'server-overloaded', detail: 'answer 429', retryAfterMs: 7_000 } as const;
    const logged = { type: 'failed', failure: named };
    const fresh = new DeliveryHarness(() => named);
    fresh.append(1);
    assert.deepEqual(await fresh.step(), logged);
    const backlog = new DeliveryHarness(() => named);
    await backlog.appendBacklog(1);
    assert.deepEqual(await backlog.stepWithin(), logged);
    const live = new DeliveryHarness(() => named);
    live.outbox.append({ bootId: live.clock.bootId, bootMs: 0, values: { a: 1 }, isSnapshot: true });
    assert.deepEqual(await live.step(), logged);
    assert.equal(fresh.outbox.size + backlog.outbox.size + live.outbox.size, 3);
  });

  it('a reading larger than all accepted ones is sent in parts', async () => {
    const harness = new DeliveryHarness((call) =>
      call.verb === 'postTelemetry' && call.body.includes('"bad"') ? 'server-overloaded' : 'ok',
    );
    harness.outbox.append(reading(5, { a: 1, b: 2, c: 3, bad: 4 }));
    await harness.outbox.flush();
    await passing(harness, 3 * 3_600_000);
    assert.equal(harness.outbox.backlog.size, 0);
    assert.equal(harness.delivery.rejectedCount, 1);
    const stored = harness.transport.telemetry.filter(
      (body) => timesIn(body).includes(5) && !body.includes('"bad"'),
    );
    assert.ok(stored.some((body) => body.includes('"a":1')) && stored.some((body) => body.includes('"c":3')));
    // The gap record may be in parts too.
    const gaps = harness.transport.telemetry
      .filter((body) => body.includes('"lost'))
      .map((body) => JSON.parse(body)[0].values);
    assert.deepEqual(Object.assign({}, ...gaps), {
      lostReadings: 1,
      lostFromMs: 5,
      lostToMs: 5,
      lostWhy: 'refused',
    });
  });

  it('a reading hit by a rate limit is delivered in the end', async () => {
    let count = 0;
    const harness = new DeliveryHarness(() => (++count % 2 === 0 ? 'server-overloaded' : 'ok'));
    await harness.appendBacklog(...upTo(2_000));
    await harness.drain();
    assert.equal(harness.delivery.rejectedCount, 0);
    assert.equal(harness.outbox.size, 0);
  });

  it('a rate limit delays the backlog, and fresh readings are sent at once', async () => {
    let allowed = 0;
    const harness = new DeliveryHarness((call) => {
      if (call.verb === 'postTelemetry' && timesIn(call.body).every((tsMs) => tsMs >= 1_000_000)) return 'ok';
      allowed -= 1;
      return allowed >= 0 ? 'ok' : 'server-overloaded';
    });
    await harness.appendBacklog(...upTo(3_000));
    for (let minute = 0; minute < 60; minute += 1) {
      allowed = 20;
      const before = harness.delivery.delivered;
      await passing(harness, 60_000);
      assert.equal(harness.outbox.fresh.size, 0, `minute ${minute}`);
      assert.ok(harness.delivery.delivered > before);
    }
    assert.equal(harness.outbox.backlog.size, 0);
    assert.equal(harness.delivery.rejectedCount, 0);
  });
});

describe('a fresh reading with an internal error as response', () => {
  it('a fresh reading with internal errors does not delay later ones', async () => {
    let isAway = false;
    const harness = new DeliveryHarness((call) => {
      if (isAway) return 'server-timeout';
      return call.verb === 'postTelemetry' && timesIn(call.body).includes(1) ? 'server-overloaded' : 'ok';
    });
    harness.append(1);
    let isOver = false;
    void harness.outbox.run(harness.stop.signal);
    const session = (async () => {
      while (!isOver) {
        const event = await harness.step();
        if (event.type === 'failed') await harness.clock.sleep(60_000, harness.stop.signal);
      }
    })();
    for (let beat = 0; beat < 400; beat += 1) {
      isAway = beat > 5 && beat < 40;
      harness.sample();
      await harness.clock.advance(10_000);
    }
    assert.equal(harness.delivery.rejectedCount, 1);
    assert.ok(harness.outbox.size <= 1, `${harness.outbox.size} wait`);
    isOver = true;
    harness.sample();
    await harness.clock.advance(120_000);
    await session;
    harness.stop.abort();
  });
});

describe('a run of malformed readings in a backlog', () => {
  it('malformed readings in the backlog do not delay fresh readings', async () => {
    const harness = new DeliveryHarness(rejecting(...upTo(20)));
    await harness.appendBacklog(...upTo(200));
    let isOver = false;
    const session = (async () => {
      while (!isOver) {
        const event = await harness.step();
        if (event.type === 'failed') await harness.clock.sleep(60_000, harness.stop.signal);
      }
    })();
    for (let beat = 0; beat < 120; beat += 1) {
      harness.append(1_000_000 + beat);
      await harness.clock.advance(10_000);
      assert.equal(harness.outbox.fresh.size, 0, `beat ${beat}`);
    }
    isOver = true;
    harness.append(2_000_000);
    await harness.clock.advance(1_000);
    await session;
    assert.equal(harness.delivery.rejectedCount, 20);
    assert.equal(harness.outbox.backlog.size, 0);
  });
});

describe('a gap record that the server rejects', () => {
  it('a rejected gap record is logged once and not sent again', async () => {
    const harness = new DeliveryHarness((call) =>
      call.verb === 'postTelemetry' && call.body.includes('lostReadings') ? 'request-malformed' : 'ok',
    );
    harness.outbox.losses.add({ readings: 3, reason: 'memory full' });
    for (let tsMs = 1; tsMs <= 50; tsMs += 1) {
      harness.append(tsMs);
      await harness.stepWithin();
    }
    const tries = harness.transport.telemetry.filter((body) => body.includes('lostReadings'));
    assert.ok(tries.length <= 3, `${tries.length}`);
    assert.equal(harness.log.withMessage(/rejected the gap record/).length, 1);
    assert.equal(harness.outbox.losses.unreported, 0);
  });
});

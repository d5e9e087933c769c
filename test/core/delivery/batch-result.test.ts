/**
 * A reading the server refuses does nothing to the others: malformed (4.00), or answered with an internal error again
 * and again (5.00, trap 11). A server that refuses everything does little to any: none is lost silently.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Event } from '../../../src/core/session/state.ts';
import type { Script } from '../../doubles/scripted-transport.ts';
import { DeliveryStage, timesIn } from './delivery-harness.ts';

const SEED = { seed: 20_261_121, numRuns: 200 };
const SET_ASIDE = /calls one reading malformed/;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** A server that calls every body with one of these readings malformed. */
const rejecting =
  (...bad: readonly number[]): Script =>
  (call) =>
    call.verb === 'postTelemetry' && timesIn(call.body).some((tsMs) => bad.includes(tsMs))
      ? 'malformed'
      : 'ok';

describe('a malformed reading', () => {
  it('alone is set aside, counted and told as an error', async () => {
    const stage = new DeliveryStage(rejecting(1));
    stage.append(1);
    assert.deepEqual(await stage.step(), { type: 'stepped' });
    assert.equal(stage.outbox.size, 0);
    assert.equal(stage.delivery.setAside, 1);
    assert.equal(stage.delivery.delivered, 0);
    assert.equal(stage.log.saying(/calls one reading malformed/)[0]?.level, 'error');
  });

  it('among others is found by halving the batch, and only it is set aside', async () => {
    const stage = new DeliveryStage(rejecting(5));
    stage.append(...upTo(8));
    const events = await stage.drain();
    // The last one is the gap record that tells of it.
    assert.equal(events.filter(({ type }) => type === 'delivered').length, 4);
    assert.equal(events.filter(({ type }) => type === 'stepped').length, 4);
    assert.deepEqual(stage.transport.telemetry.map(timesIn).slice(0, -1), [
      [1, 2, 3, 4, 5, 6, 7, 8],
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [5, 6],
      [5],
      [6],
      [7, 8],
    ]);
    assert.equal(stage.delivery.setAside, 1);
    assert.equal(stage.delivery.delivered, 7 + 1);
    const [gap] = JSON.parse(stage.transport.telemetry.at(-1) ?? '');
    assert.deepEqual(gap.values, { lostReadings: 1, lostFromMs: 5, lostToMs: 5, lostWhy: 'malformed' });
  });

  it('never takes a good one with it, wherever and however many there are', async () => {
    const check = async (count: number, bad: number[]) => {
      const stage = new DeliveryStage(rejecting(...bad));
      stage.append(...upTo(count));
      await stage.drain();
      const malformed = upTo(count).filter((tsMs) => bad.includes(tsMs)).length;
      assert.equal(stage.delivery.setAside, malformed);
      const arrived = new Set(stage.transport.telemetry.flatMap(timesIn).filter((tsMs) => tsMs <= count));
      assert.equal(arrived.size, count);
      assert.equal(stage.outbox.size, 0);
    };
    const some = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 20 });
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 100 }), some, check), SEED);
  });

  it('does not make the following batches small', async () => {
    const stage = new DeliveryStage(rejecting(1));
    stage.append(...upTo(20));
    await stage.drain();
    stage.append(...upTo(40).slice(20));
    await stage.drain();
    const last = stage.transport.telemetry.map(timesIn).at(-1) ?? [];
    assert.ok(last.length > 15, `${last.length}`);
  });
});

describe('a server that calls everything malformed', () => {
  const everything: Script = () => 'malformed';
  const outcome = (event: Event) => (event.type === 'refused' ? event.refusal.reason : event.type);

  /** What each of `count` steps leads to, one reading at a time from the first on. */
  async function outcomes(stage: DeliveryStage, count: number): Promise<string[]> {
    const events: string[] = [];
    for (let step = 0; step < count; step += 1) events.push(outcome(await stage.step()));
    return events;
  }

  it('costs one reading, then a wait for each further one', async () => {
    const stage = new DeliveryStage(everything);
    stage.append(1);
    await stage.step();
    stage.append(2, 3);
    assert.deepEqual(await outcomes(stage, 5), ['stepped', 'malformed', 'stepped', 'malformed', 'stepped']);
    assert.equal(stage.delivery.setAside, 3);
  });

  it('keeps the reading it waits for, and tries that one first thereafter', async () => {
    const stage = new DeliveryStage(everything);
    stage.append(1, 2, 3);
    while (stage.delivery.setAside === 0) await stage.step();
    assert.deepEqual(await outcomes(stage, 1), ['malformed']);
    const before = stage.outbox.size;
    assert.equal(before, 2);
    await stage.step();
    assert.deepEqual(stage.transport.telemetry.map(timesIn).slice(-2), [[2], [2]]);
    assert.equal(stage.outbox.size, 1);
  });

  it('loses five of a hundred readings in ten steps at most, each one told and counted', async () => {
    const stage = new DeliveryStage(everything);
    stage.append(...upTo(100));
    // Ten steps from the first lone reading on: the halvings before it lose nothing.
    while (stage.delivery.setAside === 0) assert.equal(outcome(await stage.step()), 'stepped');
    const before = stage.outbox.size;
    assert.equal(before, 99);
    await outcomes(stage, 10);
    const lost = before - stage.outbox.size;
    assert.ok(lost >= 1 && lost <= 5, `${lost}`);
    assert.equal(stage.delivery.setAside, 100 - stage.outbox.size);
    const told = stage.log.saying(SET_ASIDE);
    assert.deepEqual(
      told.map(({ level, fields }) => [level, fields['setAside']]),
      upTo(stage.delivery.setAside).map((count) => ['error', count]),
    );
  });

  it('for a while only: an accepted reading lets the next malformed one go without a wait', async () => {
    const stage = new DeliveryStage(rejecting(1, 3));
    for (const [tsMs, expected] of [
      [1, 'stepped'],
      [2, 'delivered'],
      [3, 'stepped'],
    ] as const) {
      stage.append(tsMs);
      assert.deepEqual(await outcomes(stage, 1), [expected]);
    }
  });

  it('and is silent in between is still waited for: silence accepts nothing', async () => {
    const answers = ['malformed', 'silent', 'malformed', 'unauthorized', 'malformed'] as const;
    const stage = new DeliveryStage((_, index) => answers[index] ?? 'ok');
    stage.append(1);
    await stage.step();
    stage.append(2);
    assert.deepEqual(await outcomes(stage, 4), ['silent', 'malformed', 'unauthorized', 'stepped']);
  });
});

describe('a reading that is answered with an internal error', () => {
  /** A server that answers 5.00 to every body with one of these readings. */
  const choking =
    (...bad: readonly number[]): Script =>
    (call) =>
      call.verb === 'postTelemetry' && timesIn(call.body).some((tsMs) => bad.includes(tsMs))
        ? 'overloaded'
        : 'ok';

  /** A session that waits a second after each refusal, and a fresh reading every ten, while `ms` pass. */
  async function passing(stage: DeliveryStage, ms: number): Promise<void> {
    let isOver = false;
    const session = (async () => {
      while (!isOver) {
        const { type } = await stage.step();
        if (type === 'refused') await stage.clock.sleep(1_000, stage.stop.signal);
      }
    })();
    for (let passedMs = 0; passedMs < ms; passedMs += 10_000) {
      stage.append(1_000_000 + stage.clock.monotonicMs());
      await stage.clock.advance(10_000);
    }
    isOver = true;
    stage.append(1_000_000 + stage.clock.monotonicMs());
    await stage.clock.advance(1_000);
    await session;
  }

  it('is found and set aside while others go on, after minutes and not at once', async () => {
    const stage = new DeliveryStage(choking(5));
    await stage.appendBacklog(...upTo(8));
    await passing(stage, 60_000);
    assert.equal(stage.delivery.setAside, 0, 'a minute is too early to give up');
    await passing(stage, 3_600_000);
    assert.equal(stage.delivery.setAside, 1);
    assert.equal(stage.outbox.backlog.size, 0);
    const gaps = stage.transport.telemetry.filter((body) => body.includes('lostReadings'));
    assert.equal(gaps.length, 1);
    assert.match(gaps[0] ?? '', /"lostFromMs":5,"lostToMs":5,"lostWhy":"refused"/);
    assert.equal(stage.log.saying(/answers one reading, and only it/)[0]?.level, 'error');
  });

  it('among a server that answers all with it is an overload: told, waited for, nothing set aside', async () => {
    const stage = new DeliveryStage(() => 'overloaded');
    stage.append(1, 2, 3);
    const events = [];
    for (let step = 0; step < 50; step += 1) events.push(await stage.patientStep());
    assert.ok(events.every((event) => event.type === 'refused' && event.refusal.reason === 'overloaded'));
    assert.equal(stage.delivery.setAside, 0);
    assert.equal(stage.outbox.size, 3);
  });

  it('with a time at which it may be asked again is the business of the session at once, wherever it came from', async () => {
    const named = { reason: 'overloaded', detail: 'answer 429', retryAfterMs: 7_000 } as const;
    const told = { type: 'refused', refusal: named };
    const fresh = new DeliveryStage(() => named);
    fresh.append(1);
    assert.deepEqual(await fresh.step(), told);
    const backlog = new DeliveryStage(() => named);
    await backlog.appendBacklog(1);
    assert.deepEqual(await backlog.patientStep(), told);
    const live = new DeliveryStage(() => named);
    live.outbox.append({ bootId: live.clock.bootId, bootMs: 0, values: { a: 1 }, full: true });
    assert.deepEqual(await live.step(), told);
    assert.equal(fresh.outbox.size + backlog.outbox.size + live.outbox.size, 3);
  });

  it('for a while, by a rate limit that hits any message, is delivered in the end', async () => {
    let count = 0;
    const stage = new DeliveryStage(() => (++count % 2 === 0 ? 'overloaded' : 'ok'));
    await stage.appendBacklog(...upTo(2_000));
    await stage.drain();
    assert.equal(stage.delivery.setAside, 0);
    assert.equal(stage.outbox.size, 0);
  });

  it('in a backlog that meets a rate limit holds up the backlog, and what is fresh goes at once', async () => {
    let allowed = 0;
    const stage = new DeliveryStage((call) => {
      if (call.verb === 'postTelemetry' && timesIn(call.body).every((tsMs) => tsMs >= 1_000_000)) return 'ok';
      allowed -= 1;
      return allowed >= 0 ? 'ok' : 'overloaded';
    });
    await stage.appendBacklog(...upTo(3_000));
    for (let minute = 0; minute < 60; minute += 1) {
      allowed = 20;
      const before = stage.delivery.delivered;
      await passing(stage, 60_000);
      assert.equal(stage.outbox.fresh.size, 0, `minute ${minute}`);
      assert.ok(stage.delivery.delivered > before);
    }
    assert.equal(stage.outbox.backlog.size, 0);
    assert.equal(stage.delivery.setAside, 0);
  });
});

describe('a fresh reading that is answered with an internal error', () => {
  it('does not stand before those that come after it, whatever trouble there was', async () => {
    let isAway = false;
    const stage = new DeliveryStage((call) => {
      if (isAway) return 'silent';
      return call.verb === 'postTelemetry' && timesIn(call.body).includes(1) ? 'overloaded' : 'ok';
    });
    stage.append(1);
    let isOver = false;
    void stage.outbox.keep(stage.stop.signal);
    const session = (async () => {
      while (!isOver) {
        const event = await stage.step();
        if (event.type === 'refused') await stage.clock.sleep(60_000, stage.stop.signal);
      }
    })();
    for (let beat = 0; beat < 400; beat += 1) {
      isAway = beat > 5 && beat < 40;
      stage.sample();
      await stage.clock.advance(10_000);
    }
    assert.equal(stage.delivery.setAside, 1);
    assert.ok(stage.outbox.size <= 1, `${stage.outbox.size} wait`);
    isOver = true;
    stage.sample();
    await stage.clock.advance(120_000);
    await session;
    stage.stop.abort();
  });
});

describe('a run of malformed readings in a backlog', () => {
  it('costs what is fresh no time, and only those readings', async () => {
    const stage = new DeliveryStage(rejecting(...upTo(20)));
    await stage.appendBacklog(...upTo(200));
    let isOver = false;
    const session = (async () => {
      while (!isOver) {
        const event = await stage.step();
        if (event.type === 'refused') await stage.clock.sleep(60_000, stage.stop.signal);
      }
    })();
    for (let beat = 0; beat < 120; beat += 1) {
      stage.append(1_000_000 + beat);
      await stage.clock.advance(10_000);
      assert.equal(stage.outbox.fresh.size, 0, `beat ${beat}`);
    }
    isOver = true;
    stage.append(2_000_000);
    await stage.clock.advance(1_000);
    await session;
    assert.equal(stage.delivery.setAside, 20);
    assert.equal(stage.outbox.backlog.size, 0);
  });
});

describe('a gap record the server does not take', () => {
  it('is told to the operator once, and not to the server for ever', async () => {
    const stage = new DeliveryStage((call) =>
      call.verb === 'postTelemetry' && call.body.includes('lostReadings') ? 'malformed' : 'ok',
    );
    stage.outbox.losses.add({ readings: 3, why: 'memory full' });
    for (let tsMs = 1; tsMs <= 50; tsMs += 1) {
      stage.append(tsMs);
      await stage.patientStep();
    }
    const tries = stage.transport.telemetry.filter((body) => body.includes('lostReadings'));
    assert.ok(tries.length <= 3, `${tries.length}`);
    assert.equal(stage.log.saying(/does not take the gap record/).length, 1);
    assert.equal(stage.outbox.losses.untold, 0);
  });
});

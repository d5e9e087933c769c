/**
 * The facts about the host are collected once, after the first accepted reading, and posted as client
 * attributes until accepted.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AsyncSignal } from '../../../src/core/async/async-signal.ts';
import type { Values } from '../../../src/core/model/reading.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { Answer } from '../../doubles/scripted-transport.ts';
import { DeliveryHarness, settled } from './delivery-harness.ts';

/** A harness whose first reading is accepted; `answers` are those to the attributes, in order. */
async function begun(...answers: Answer[]): Promise<DeliveryHarness> {
  const harness = new DeliveryHarness((call) =>
    call.verb === 'postAttributes' ? (answers.shift() ?? 'ok') : 'ok',
  );
  harness.append(1);
  await harness.step();
  return harness;
}

async function ready(harness: DeliveryHarness, values: Values): Promise<void> {
  harness.facts.ready(values);
  await settled();
}

it('facts are not collected before a reading was accepted', async () => {
  const harness = new DeliveryHarness((_, index) => (index < 2 ? 'server-timeout' : 'ok'));
  harness.append(1);
  await harness.step();
  await harness.step();
  assert.equal(harness.facts.calls, 0);
  await harness.step();
  assert.equal(harness.facts.calls, 1);
});

it('facts are collected once', async () => {
  const harness = await begun();
  harness.append(2, 3);
  await harness.drain();
  harness.append(4);
  await harness.drain();
  assert.equal(harness.facts.calls, 1);
});

it('facts and readings are packed for the room that the transport leaves', async () => {
  const harness = await begun();
  harness.transport.bytesMax = 300;
  harness.append(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
  await harness.drain();
  await ready(harness, Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`key${n}`, 'x'.repeat(40)])));
  for (let step = 0; step < 4; step += 1) await harness.step();
  const { attributes, telemetry } = harness.transport;
  assert.ok(attributes.length > 3 && telemetry.length > 1, `${attributes.length} ${telemetry.length}`);
  assert.ok([...attributes, ...telemetry].every((body) => body.length <= 300));
  const posted = attributes.flatMap((body) => Object.keys(JSON.parse(body)));
  assert.equal(new Set(posted).size, 20);
});

it('slow facts delay no reading', async () => {
  const harness = await begun();
  harness.append(2);
  assert.deepEqual(await harness.step(), { type: 'delivered' });
  assert.equal(harness.delivery.delivered, 2);
});

it('collected facts wake a delivery that waits for a reading', async () => {
  const harness = await begun();
  const step = harness.step();
  await settled();
  harness.facts.ready({ hwModel: 'Pi 4' });
  assert.deepEqual(await step, { type: 'delivered' });
  assert.deepEqual(harness.transport.attributes, ['{"hwModel":"Pi 4"}']);
});

it('a reading is sent before the facts', async () => {
  const harness = await begun();
  await ready(harness, { hwModel: 'Pi 4' });
  harness.append(2);
  await harness.step();
  await harness.step();
  assert.deepEqual(
    harness.transport.calls.map(({ verb }) => verb),
    ['postTelemetry', 'postTelemetry', 'postAttributes'],
  );
});

it('a reading does not wait for facts without a response', async () => {
  const harness = await begun('never');
  await ready(harness, { hwModel: 'Pi 4' });
  const step = harness.step();
  await settled();
  harness.append(2);
  assert.deepEqual(await step, { type: 'delivered' });
  harness.append(3);
  assert.deepEqual(await harness.step(), { type: 'delivered' });
  assert.deepEqual(
    harness.transport.calls.map(({ verb }) => verb),
    ['postTelemetry', 'postAttributes', 'postTelemetry', 'postTelemetry'],
  );
});

it('rejected facts are posted until accepted, and then never again', async () => {
  const harness = await begun('server-timeout', 'server-overloaded');
  await ready(harness, { hwModel: 'Pi 4' });
  assert.deepEqual(await harness.stepWithin(), { type: 'delivered' });
  assert.equal(harness.transport.attributes.length, 3);
  harness.append(2);
  await harness.step();
  assert.equal(harness.transport.attributes.length, 3);
});

it('several attribute bodies are posted one by one, each until accepted', async () => {
  const harness = await begun('ok', 'server-timeout');
  await ready(harness, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  for (let step = 0; step < 2; step += 1) await harness.stepWithin();
  const heads = harness.transport.attributes.map((body) => body.slice(0, 4));
  assert.deepEqual(heads, ['{"a"', '{"b"', '{"b"']);
});

it('facts are not posted again before the retry time of the server', async () => {
  const harness = await begun({ reason: 'server-overloaded', detail: 'answer 429', retryAfterMs: 600_000 });
  await ready(harness, { hwModel: 'Pi 4' });
  const step = harness.step();
  await settled();
  await harness.clock.advance(600_000);
  assert.equal(harness.transport.attributes.length, 1);
  await harness.clock.advance(300_000);
  assert.deepEqual(await step, { type: 'delivered' });
  assert.equal(harness.transport.attributes.length, 2);
});

it('facts that are never accepted delay no reading and are logged once', async () => {
  const harness = new DeliveryHarness((call) =>
    call.verb === 'postAttributes' ? 'unexpected-response' : 'ok',
  );
  harness.append(0);
  await harness.step();
  await ready(harness, { hwModel: 'Pi 4' });
  for (let beat = 1; beat <= 500; beat += 1) {
    const step = harness.step();
    await settled();
    harness.append(beat);
    assert.deepEqual(await step, { type: 'delivered' });
    await harness.clock.advance(10_000);
  }
  assert.equal(harness.delivery.delivered, 501);
  assert.ok(harness.transport.attributes.length < 30, `${harness.transport.attributes.length} tries`);
  assert.equal(harness.log.withMessage(/rejects client attributes/).length, 1);
});

it('facts rejected because of the token are reported to the session', async () => {
  const harness = await begun('unauthorized');
  await ready(harness, { hwModel: 'Pi 4' });
  const event = await harness.step();
  assert.equal(event.type === 'failed' && event.failure.reason, 'unauthorized');
});

it('a malformed attribute body is omitted with an error, and the next is posted', async () => {
  const harness = await begun('request-malformed');
  await ready(harness, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  assert.deepEqual(await harness.step(), { type: 'progressed' });
  assert.deepEqual(await harness.step(), { type: 'delivered' });
  assert.equal(harness.transport.attributes.length, 2);
  assert.equal(harness.log.withMessage(/client attributes as malformed/)[0]?.level, 'error');
  assert.equal(harness.log.withMessage('client attributes accepted').length, 1);
});

it('a failure to collect the facts is a warning, and telemetry continues', async () => {
  const harness = await begun();
  harness.facts.fail(new Error('no dmi'));
  await settled();
  harness.append(2);
  assert.deepEqual(await harness.step(), { type: 'delivered' });
  const [line] = harness.log.withMessage(/could not collect the client attributes/);
  assert.equal(line?.level, 'warn');
  assert.equal(line?.fields['error'], 'Error: no dmi');
  assert.deepEqual(harness.transport.attributes, []);
});

it('a host without facts posts none and waits for readings', async () => {
  const harness = await begun();
  await ready(harness, {});
  const step = harness.step();
  harness.append(2);
  await step;
  assert.deepEqual(harness.transport.attributes, []);
});

it('facts without a body cause no request', async () => {
  const harness = await begun();
  const step = harness.step();
  await settled();
  harness.facts.ready({});
  await settled();
  assert.equal(harness.transport.calls.length, 1);
  harness.append(2);
  assert.deepEqual(await step, { type: 'delivered' });
});

it('a device with another token receives all facts again, once', async () => {
  const harness = await begun();
  await ready(harness, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  for (let step = 0; step < 2; step += 1) await harness.step();
  const another = new Secret('of-the-new-device');
  for (let step = 0; step < 2; step += 1) assert.equal((await harness.step(another)).type, 'delivered');
  const { attributes, calls } = harness.transport;
  assert.deepEqual(attributes.slice(2), attributes.slice(0, 2));
  assert.ok(calls.slice(-2).every((call) => call.verb === 'postAttributes' && call.token === another));
  const idle = harness.step(new Secret('of-the-new-device'));
  await settled();
  assert.equal(calls.length, 5);
  harness.append(2);
  await idle;
  assert.equal(harness.facts.calls, 1);
});

it('facts are posted from the first one again if the token changes midway', async () => {
  const harness = await begun();
  await ready(harness, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  await harness.step();
  const another = new Secret('of-the-new-device');
  for (let step = 0; step < 2; step += 1) await harness.step(another);
  const heads = harness.transport.attributes.map((body) => body.slice(0, 4));
  assert.deepEqual(heads, ['{"a"', '{"a"', '{"b"']);
});

describe('attributes that change while the agent runs', () => {
  const changing = (harness: DeliveryHarness, first: Values) => {
    const changes = new AsyncSignal();
    const attributes = { values: first, changes };
    harness.changingAttributes = attributes;
    return (values: Values) => {
      attributes.values = values;
      changes.notify();
    };
  };

  it('are posted after the facts, and again when they change', async () => {
    const harness = new DeliveryHarness();
    const change = changing(harness, { configProblems: 'none' });
    harness.append(1);
    await harness.step();
    await ready(harness, { hwModel: 'Pi 4' });
    for (let step = 0; step < 2; step += 1) await harness.step();
    const idle = harness.step();
    await settled();
    change({ configProblems: 'one' });
    assert.deepEqual(await idle, { type: 'delivered' });
    assert.deepEqual(harness.transport.attributes, [
      '{"hwModel":"Pi 4"}',
      '{"configProblems":"none"}',
      '{"configProblems":"one"}',
    ]);
  });

  it('are posted if the facts could not be collected', async () => {
    const harness = new DeliveryHarness();
    changing(harness, { configProblems: 'none' });
    harness.append(1);
    await harness.step();
    harness.facts.fail(new Error('no dmi'));
    await settled();
    await harness.step();
    assert.deepEqual(harness.transport.attributes, ['{"configProblems":"none"}']);
  });

  it('that change before they are accepted are posted in their last form only', async () => {
    const answers: Answer[] = ['ok', 'server-timeout'];
    const harness = new DeliveryHarness((call) =>
      call.verb === 'postAttributes' ? (answers.shift() ?? 'ok') : 'ok',
    );
    const change = changing(harness, { configProblems: 'first' });
    harness.append(1);
    await harness.step();
    await ready(harness, { hwModel: 'Pi 4' });
    await harness.step();
    const step = harness.stepWithin();
    await settled();
    change({ configProblems: 'second' });
    change({ configProblems: 'third' });
    await step;
    assert.deepEqual(harness.transport.attributes.slice(1), [
      '{"configProblems":"first"}',
      '{"configProblems":"third"}',
    ]);
  });

  it('are posted again to another device in their present form', async () => {
    const harness = new DeliveryHarness();
    const change = changing(harness, { configProblems: 'none' });
    harness.append(1);
    await harness.step();
    await ready(harness, { hwModel: 'Pi 4' });
    for (let step = 0; step < 2; step += 1) await harness.step();
    change({ configProblems: 'one' });
    await harness.step();
    const another = new Secret('of-the-new-device');
    for (let step = 0; step < 2; step += 1) await harness.step(another);
    assert.deepEqual(harness.transport.attributes.slice(3), [
      '{"hwModel":"Pi 4"}',
      '{"configProblems":"one"}',
    ]);
  });
});

it('attributes with repeated internal errors are posted in halves', async () => {
  const harness = new DeliveryHarness((call) => {
    if (call.verb !== 'postAttributes') return 'ok';
    return Object.keys(JSON.parse(call.body)).length > 2 ? 'server-overloaded' : 'ok';
  });
  harness.append(1);
  await harness.step();
  await ready(harness, { a: 1, b: 2, c: 3, d: 4, e: 5 });
  for (let steps = 0; steps < 3; steps += 1) await harness.stepWithin();
  const accepted = harness.transport.attributes.filter((body) => Object.keys(JSON.parse(body)).length <= 2);
  assert.deepEqual(accepted, ['{"a":1,"b":2}', '{"c":3}', '{"d":4,"e":5}']);
});

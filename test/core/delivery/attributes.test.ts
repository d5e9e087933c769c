/**
 * The host's facts: asked for once, after the first reading was accepted, and posted as client attributes
 * until accepted.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { Answer } from '../../doubles/scripted-transport.ts';
import { DeliveryStage, settled } from './delivery-harness.ts';

/** A stage whose first reading is accepted; `answers` are those to the attributes, in order. */
async function begun(...answers: Answer[]): Promise<DeliveryStage> {
  const stage = new DeliveryStage((call) =>
    call.verb === 'postAttributes' ? (answers.shift() ?? 'ok') : 'ok',
  );
  stage.append(1);
  await stage.step();
  return stage;
}

async function ready(stage: DeliveryStage, values: Values): Promise<void> {
  stage.facts.ready(values);
  await settled();
}

it('the facts are not asked for before a reading was accepted', async () => {
  const stage = new DeliveryStage((_, index) => (index < 2 ? 'silent' : 'ok'));
  stage.append(1);
  await stage.step();
  await stage.step();
  assert.equal(stage.facts.asked, 0);
  await stage.step();
  assert.equal(stage.facts.asked, 1);
});

it('the facts are asked for once, however many readings follow', async () => {
  const stage = await begun();
  stage.append(2, 3);
  await stage.drain();
  stage.append(4);
  await stage.drain();
  assert.equal(stage.facts.asked, 1);
});

it('slow facts hold up no reading', async () => {
  const stage = await begun();
  stage.append(2);
  assert.deepEqual(await stage.step(), { type: 'delivered' });
  assert.equal(stage.delivery.delivered, 2);
});

it('facts that are ready wake a delivery that waits for a reading', async () => {
  const stage = await begun();
  const step = stage.step();
  await settled();
  stage.facts.ready({ hwModel: 'Pi 4' });
  assert.deepEqual(await step, { type: 'delivered' });
  assert.deepEqual(stage.transport.attributes, ['{"hwModel":"Pi 4"}']);
});

it('a reading goes before the facts', async () => {
  const stage = await begun();
  await ready(stage, { hwModel: 'Pi 4' });
  stage.append(2);
  await stage.step();
  await stage.step();
  assert.deepEqual(
    stage.transport.calls.map(({ verb }) => verb),
    ['postTelemetry', 'postTelemetry', 'postAttributes'],
  );
});

it('a reading does not wait for facts that get no answer, so that a silent server is told as soon as ever', async () => {
  const stage = await begun('never');
  await ready(stage, { hwModel: 'Pi 4' });
  const step = stage.step();
  await settled();
  stage.append(2);
  assert.deepEqual(await step, { type: 'delivered' });
  stage.append(3);
  assert.deepEqual(await stage.step(), { type: 'delivered' });
  assert.deepEqual(
    stage.transport.calls.map(({ verb }) => verb),
    ['postTelemetry', 'postAttributes', 'postTelemetry', 'postTelemetry'],
  );
});

it('facts that were refused are posted again until they are accepted, and then never again', async () => {
  const stage = await begun('silent', 'overloaded');
  await ready(stage, { hwModel: 'Pi 4' });
  assert.deepEqual(await stage.patientStep(), { type: 'delivered' });
  assert.equal(stage.transport.attributes.length, 3);
  stage.append(2);
  await stage.step();
  assert.equal(stage.transport.attributes.length, 3);
});

it('facts for several bodies are posted one by one, in order, each until it is accepted', async () => {
  const stage = await begun('ok', 'silent');
  await ready(stage, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  for (let step = 0; step < 2; step += 1) await stage.patientStep();
  const heads = stage.transport.attributes.map((body) => body.slice(0, 4));
  assert.deepEqual(heads, ['{"a"', '{"b"', '{"b"']);
});

it('facts are not tried again before the server wants to be asked', async () => {
  const stage = await begun({ reason: 'overloaded', detail: 'answer 429', retryAfterMs: 600_000 });
  await ready(stage, { hwModel: 'Pi 4' });
  const step = stage.step();
  await settled();
  await stage.clock.advance(600_000);
  assert.equal(stage.transport.attributes.length, 1);
  await stage.clock.advance(300_000);
  assert.deepEqual(await step, { type: 'delivered' });
  assert.equal(stage.transport.attributes.length, 2);
});

it('facts that a server never takes cost no reading any time, and are told once', async () => {
  const stage = new DeliveryStage((call) => (call.verb === 'postAttributes' ? 'unintelligible' : 'ok'));
  stage.append(0);
  await stage.step();
  await ready(stage, { hwModel: 'Pi 4' });
  for (let beat = 1; beat <= 500; beat += 1) {
    const step = stage.step();
    await settled();
    stage.append(beat);
    assert.deepEqual(await step, { type: 'delivered' });
    await stage.clock.advance(10_000);
  }
  assert.equal(stage.delivery.delivered, 501);
  assert.ok(stage.transport.attributes.length < 15, `${stage.transport.attributes.length} tries`);
  assert.equal(stage.log.saying(/no client attributes/).length, 1);
});

it('facts refused for their token are the session’s business', async () => {
  const stage = await begun('unauthorized');
  await ready(stage, { hwModel: 'Pi 4' });
  const event = await stage.step();
  assert.equal(event.type === 'refused' && event.refusal.reason, 'unauthorized');
});

it('facts the server calls malformed are left out with an error, and the next body goes on', async () => {
  const stage = await begun('malformed');
  await ready(stage, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  assert.deepEqual(await stage.step(), { type: 'stepped' });
  assert.deepEqual(await stage.step(), { type: 'delivered' });
  assert.equal(stage.transport.attributes.length, 2);
  assert.equal(stage.log.saying(/client attributes malformed/)[0]?.level, 'error');
  assert.equal(stage.log.saying('client attributes accepted').length, 1);
});

it('facts that cannot be gathered are a warning, and telemetry goes on without them', async () => {
  const stage = await begun();
  stage.facts.fail(new Error('no dmi'));
  await settled();
  stage.append(2);
  assert.deepEqual(await stage.step(), { type: 'delivered' });
  const [line] = stage.log.saying(/could not be gathered/);
  assert.equal(line?.level, 'warn');
  assert.equal(line?.fields['error'], 'Error: no dmi');
  assert.deepEqual(stage.transport.attributes, []);
});

it('a host without facts posts none, and waits for readings as before', async () => {
  const stage = await begun();
  await ready(stage, {});
  const step = stage.step();
  stage.append(2);
  await step;
  assert.deepEqual(stage.transport.attributes, []);
});

it('facts without any body to post leave a woken delivery with nothing to do, and no request', async () => {
  const stage = await begun();
  const step = stage.step();
  await settled();
  stage.facts.ready({});
  await settled();
  assert.equal(stage.transport.calls.length, 1);
  stage.append(2);
  assert.deepEqual(await step, { type: 'delivered' });
});

it('a device that got another token gets all the facts again, once', async () => {
  const stage = await begun();
  await ready(stage, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  for (let step = 0; step < 2; step += 1) await stage.step();
  const another = new Secret('of-the-new-device');
  for (let step = 0; step < 2; step += 1) assert.equal((await stage.step(another)).type, 'delivered');
  const { attributes, calls } = stage.transport;
  assert.deepEqual(attributes.slice(2), attributes.slice(0, 2));
  assert.ok(calls.slice(-2).every((call) => call.verb === 'postAttributes' && call.token === another));
  const idle = stage.step(new Secret('of-the-new-device'));
  await settled();
  assert.equal(calls.length, 5);
  stage.append(2);
  await idle;
  assert.equal(stage.facts.asked, 1);
});

it('facts half posted when the token changed are posted from the first one on, none twice', async () => {
  const stage = await begun();
  await ready(stage, { a: 'x'.repeat(800), b: 'y'.repeat(800) });
  await stage.step();
  const another = new Secret('of-the-new-device');
  for (let step = 0; step < 2; step += 1) await stage.step(another);
  const heads = stage.transport.attributes.map((body) => body.slice(0, 4));
  assert.deepEqual(heads, ['{"a"', '{"a"', '{"b"']);
});

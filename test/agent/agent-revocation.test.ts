/**
 * The whole agent in virtual time, its token revoked: what the server, the disk and the outbox see over hours.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROVISIONED, World } from './agent-harness.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const OLD = 'stored-token';

/** A server that takes only `token`, or none; `provisioning` is its answer to a request. */
function server(takes: { token: string | undefined }, provisioning: 'ok' | 'declined' = 'declined') {
  const world = new World((call) => {
    if (call.verb === 'provision') {
      if (provisioning === 'ok') takes.token = call.request.token?.reveal();
      return provisioning;
    }
    if (call.token.reveal() === takes.token) return 'ok';
    return call.verb === 'probe' ? 'not-ours' : 'unauthorized';
  }, PROVISIONED);
  world.settings = { ...world.settings, reprovision: true };
  return world;
}

const provisions = (world: World) =>
  world.transport.calls.flatMap((call) => (call.verb === 'provision' ? [call.request] : []));

test('a deleted device is created again under its own name, and what was sampled meanwhile is delivered', async () => {
  const takes = { token: OLD as string | undefined };
  const world = server(takes, 'ok');
  const running = world.run();
  await world.clock.advance(MINUTE_MS);
  takes.token = undefined;
  await world.clock.advance(HOUR_MS);
  world.stop.abort();
  await running;
  assert.deepEqual(
    provisions(world).map(({ deviceName }) => deviceName),
    ['gw-1'],
  );
  assert.equal(world.store.record?.state, 'provisioned');
  assert.notEqual(world.store.record?.token?.reveal(), OLD);
  assert.ok(world.outbox.size <= 1);
});

test('not before five minutes, and not at all while the answer is an outage', async () => {
  const takes = { token: undefined as string | undefined };
  const early = server(takes);
  await early.runFor(4 * MINUTE_MS);
  assert.equal(provisions(early).length, 0);
  const outage = new World((call) => (call.verb === 'postTelemetry' ? 'overloaded' : 'ok'), PROVISIONED);
  outage.settings = { ...outage.settings, reprovision: true };
  await outage.runFor(24 * HOUR_MS);
  assert.equal(provisions(outage).length, 0);
});

test('a name that stays taken is asked for slowly, always with one and the same token, and both tokens are remembered', async () => {
  const world = server({ token: undefined });
  await world.runFor(24 * HOUR_MS);
  const asked = provisions(world);
  assert.ok(asked.length >= 5 && asked.length <= 60, `${asked.length} requests in a day`);
  assert.equal(new Set(asked.map(({ token }) => token?.reveal())).size, 1);
  const { record } = world.store;
  assert.equal(record?.state === 'pending' && record.previousToken?.reveal(), OLD);
});

test('a revocation that is taken back ends it: the old token delivers, and nothing flaps afterwards', async () => {
  const takes = { token: undefined as string | undefined };
  const world = server(takes);
  const running = world.run();
  await world.clock.advance(3 * HOUR_MS);
  takes.token = OLD;
  await world.clock.advance(3 * HOUR_MS);
  const asked = provisions(world).length;
  assert.equal(world.store.record?.token?.reveal(), OLD);
  assert.equal(world.store.record?.state, 'provisioned');
  await world.clock.advance(24 * HOUR_MS);
  world.stop.abort();
  await running;
  assert.equal(provisions(world).length, asked);
  assert.ok(world.outbox.size <= 1);
});

test('with "forget", or without a pair, a revoked gateway never provisions: it tries its token, slowly', async () => {
  const world = server({ token: undefined });
  world.settings = { ...world.settings, reprovision: false };
  await world.runFor(24 * HOUR_MS);
  assert.equal(provisions(world).length, 0);
  const tries = world.transport.calls.length;
  assert.ok(tries > 100 && tries < 1_000, `${tries} tries in a day`);
});

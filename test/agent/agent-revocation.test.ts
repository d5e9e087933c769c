/** The whole agent in virtual time after its token was revoked: requests, credentials and outbox over hours. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentHarness, PROVISIONED } from './agent-harness.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const OLD = 'stored-token';

/** A server that accepts only `token`, or none; `provisioning` is its response to a request. */
function server(
  takes: { token: string | undefined },
  provisioning: 'ok' | 'provisioning-declined' = 'provisioning-declined',
) {
  const harness = new AgentHarness((call) => {
    if (call.verb === 'provision') {
      if (provisioning === 'ok') takes.token = call.request.token?.reveal();
      return provisioning;
    }
    if (call.token.reveal() === takes.token) return 'ok';
    return call.verb === 'probe' ? 'not-ours' : 'unauthorized';
  }, PROVISIONED);
  harness.settings = { ...harness.settings, reprovision: true, sampleEveryMs: MINUTE_MS };
  return harness;
}

const provisions = (harness: AgentHarness) =>
  harness.transport.calls.flatMap((call) => (call.verb === 'provision' ? [call.request] : []));

test('a deleted device is created again under its name, with all readings', async () => {
  const takes = { token: OLD as string | undefined };
  const harness = server(takes, 'ok');
  const running = harness.run();
  await harness.clock.advance(MINUTE_MS);
  takes.token = undefined;
  await harness.clock.advance(HOUR_MS);
  harness.stop.abort();
  await running;
  assert.deepEqual(
    provisions(harness).map(({ deviceName }) => deviceName),
    ['gw-1'],
  );
  assert.equal(harness.store.record?.state, 'provisioned');
  assert.notEqual(harness.store.record?.token?.reveal(), OLD);
  assert.ok(harness.outbox.size <= 1);
});

test('the agent provisions again after 5 minutes of rejections, not in an outage', async () => {
  const takes = { token: undefined as string | undefined };
  const early = server(takes);
  await early.runFor(4 * MINUTE_MS);
  assert.equal(provisions(early).length, 0);
  const outage = new AgentHarness(
    (call) => (call.verb === 'postTelemetry' ? 'server-overloaded' : 'ok'),
    PROVISIONED,
  );
  outage.settings = { ...outage.settings, reprovision: true, sampleEveryMs: MINUTE_MS };
  await outage.runFor(24 * HOUR_MS);
  assert.equal(provisions(outage).length, 0);
});

test('a taken name is requested within ten minutes with one token, and both tokens are kept', async () => {
  const harness = server({ token: undefined });
  await harness.runFor(24 * HOUR_MS);
  const asked = provisions(harness);
  assert.ok(asked.length >= 144 && asked.length <= 350, `${asked.length} requests in a day`);
  assert.equal(new Set(asked.map(({ token }) => token?.reveal())).size, 1);
  const { record } = harness.store;
  assert.equal(record?.state === 'pending' && record.previousToken?.reveal(), OLD);
});

test('a revoked token that works again delivers without flapping', async () => {
  const takes = { token: undefined as string | undefined };
  const harness = server(takes);
  const running = harness.run();
  await harness.clock.advance(3 * HOUR_MS);
  takes.token = OLD;
  await harness.clock.advance(3 * HOUR_MS);
  const asked = provisions(harness).length;
  assert.equal(harness.store.record?.token?.reveal(), OLD);
  assert.equal(harness.store.record?.state, 'provisioned');
  await harness.clock.advance(24 * HOUR_MS);
  harness.stop.abort();
  await running;
  assert.equal(provisions(harness).length, asked);
  assert.ok(harness.outbox.size <= 1);
});

test('with "forget" or without a key, a revoked gateway only retries its token', async () => {
  const harness = server({ token: undefined });
  harness.settings = { ...harness.settings, reprovision: false };
  await harness.runFor(24 * HOUR_MS);
  assert.equal(provisions(harness).length, 0);
  const tries = harness.transport.calls.length;
  assert.ok(tries > 100 && tries < 1_000, `${tries} tries in a day`);
});

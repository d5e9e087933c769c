/** `firstlight status` beside the real agent, from its start to its end. */

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { harness, provisioning, toml, until } from './status-harness.ts';

test('status exits with 3 before, 0 while and 3 after the agent runs', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await harness();
  assert.deepEqual([(await at.readStatus()).code, (await at.readStatus()).state], [3, 'not running']);
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)));
  const online = await until(
    at.readStatus,
    ({ state, deliveredReadings: delivered }) => state === 'online' && delivered > 0,
  );
  assert.deepEqual(
    [online.code, online.running, online.device, online.credentials, online.transport, online.clock],
    [0, true, 'gw-test', 'stored', 'coap', 'trusted'],
  );
  assert.equal(online.endpoint, `coap://127.0.0.1:${sandbox.coapPort}`);
  assert.ok(online.recentEvents.length > 0 && online.recentEvents.length <= 10);
  assert.equal((await stat(join(at.runtime, 'status.json'))).mode & 0o777, 0o644);
  const file = await readFile(join(at.runtime, 'status.json'), 'utf8');
  for (const secret of [provisioning.secret, sandbox.devices()[0]?.token ?? 'no device'])
    assert.ok(!file.includes(secret));
  assert.equal(await agent.stop(), 0);
  assert.deepEqual([(await at.readStatus()).code, (await at.readStatus()).state], [3, 'stopped']);
});

/** The outbox of the whole agent: no disk writes while the server accepts everything. */

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from './agent-process.ts';
import { provisioning, sandboxWithDevice, toml } from './outbox-harness.ts';

/** The whole seconds of uptime of which the server has a reading. */
function secondsStored(sandbox: Sandbox): number[] {
  const points = sandbox.points({ device: 'gw-outbox', key: 'uptimeS' });
  return [...new Set(points.map(({ value }) => Math.floor(Number(value))))].sort((a, b) => a - b);
}

test('an agent whose server accepts everything never creates a spool', { timeout: 30_000 }, async () => {
  const first = await openSandbox({ provisioning });
  const { coapPort } = first;
  await first[Symbol.asyncDispose]();
  await using sandbox = await sandboxWithDevice(coapPort);
  await using place = await tempDir();
  const state = join(place.path, 'state');
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml(coapPort)),
    '--state',
    state,
  ]);
  await agent.line('client attributes accepted');
  while (secondsStored(sandbox).length < 8) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(
    (await readdir(state)).filter((name) => name === 'spool'),
    [],
  );
  assert.equal(await agent.stop(), 0);
  assert.deepEqual(
    (await readdir(state)).filter((name) => name === 'spool'),
    [],
  );
  const seconds = secondsStored(sandbox);
  const [firstSecond = 0] = seconds;
  assert.equal((seconds.at(-1) ?? 0) - firstSecond, seconds.length - 1, 'a second is missing');
});

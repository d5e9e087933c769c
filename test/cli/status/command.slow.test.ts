/** `firstlight status` beside the real agent: killed, failed, on another endpoint, without a runtime directory. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StatusJson } from '../../../src/cli/status/json.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess } from '../../app/agent-process.ts';
import { harness, provisioning, toml, until } from './status-harness.ts';

test('status distinguishes a killed agent from a running and a stopped one', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await harness();
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)));
  await until(at.readStatus, ({ state }) => state === 'online');
  agent.kill('SIGKILL');
  await agent.exit();
  assert.deepEqual([(await at.readStatus()).code, (await at.readStatus()).state], [3, 'killed']);
  assert.match(await at.text(), /exited without writing a status/);
});

test("status shows an invalid configuration; a second agent keeps the first one's", {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await harness();
  const file = await at.place.config('[server]\nurl = "mqtt://x"\n');
  await using failed = at.run(file);
  assert.equal(await failed.exit(), 78);
  const { code, state, reasons } = await at.readStatus();
  assert.deepEqual([code, state], [3, 'failed']);
  assert.match(reasons.join('\n'), /FL-CONFIG-INVALID: .*server\.url/);
  await writeFile(file, toml(sandbox.coapPort));
  await using _agent = at.run(file);
  await until(at.readStatus, (answer) => answer.state === 'online');
  await using second = at.run(file);
  assert.equal(await second.exit(), 75);
  assert.match(second.output.join('\n'), /event=FL-STATE-LOCKED/);
  assert.equal((await at.readStatus()).state, 'online');
});

test('status shows the endpoint in use and the preferred one', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await harness();
  // Nothing listens on port 1: the agent switches at once.
  const url = `["coap://127.0.0.1:1", "http://127.0.0.1:${sandbox.httpPort}"]`;
  const two = toml(sandbox.coapPort).replace(/^url = .*$/m, `url = ${url}`);
  await using _agent = at.run(await at.place.config(two));
  const online = await until(at.readStatus, ({ state }) => state === 'online');
  assert.deepEqual(
    [online.transport, online.endpoint, online.preferredEndpoint],
    ['http', `http://127.0.0.1:${sandbox.httpPort}`, 'coap://127.0.0.1:1'],
  );
  assert.match(await at.text(), /because coap:\/\/127\.0\.0\.1:1 does not work now/);
});

test('status detects an agent without a runtime directory by its lock', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await harness();
  const file = await at.place.config(toml(sandbox.coapPort));
  const state = join(at.place.path, 'state');
  const runtime = join(at.place.path, 'none');
  const ask = async (...more: readonly string[]) => {
    await using status = AgentProcess.run(['status', '--state', state, '--runtime', runtime, ...more]);
    return { code: await status.exit(), text: status.output.join('\n') };
  };
  assert.equal((await ask()).code, 3);
  await using agent = AgentProcess.run(['run', '--config', file, '--state', state], {
    RUNTIME_DIRECTORY: runtime,
  });
  await agent.line('event=FL-STATUS-WRITE-FAILED');
  const { code, text } = await ask();
  assert.equal(code, 2, text);
  assert.match(text, /is running but writes no status/);
  assert.match(text, /mount a tmpfs/);
  assert.equal((JSON.parse((await ask('--json')).text) as StatusJson).running, true);
  assert.equal(await agent.stop(), 0);
  assert.deepEqual([(await ask()).code, /not running/.test((await ask()).text)], [3, true]);
});

test('status reports an invalid status file as unreadable', { timeout: 20_000 }, async () => {
  await using at = await harness();
  for (const content of ['', '{', '[]', '{"version":99}', 'x'.repeat(100_000)]) {
    await writeFile(join(at.runtime, 'status.json'), content);
    const { code, state } = await at.readStatus();
    assert.deepEqual([code, state], [3, 'unknown'], content.slice(0, 20));
  }
});

/** The whole agent and its credentials: configured token, rejected token, unusable state directory. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from './agent-process.ts';
import { provisioning, toml } from './credentials-harness.ts';

test('a configured token is used without provisioning or storing anything', {
  timeout: 30_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  sandbox.core.admin.createDevice({ name: 'made-by-hand', token: 'givenTokenOfTheDevice' });
  await using place = await tempDir();
  const file = await place.config(toml(sandbox, '', 'token = "givenTokenOfTheDevice"'));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
  await agent.line('first telemetry accepted');
  assert.equal(await agent.stop(), 0);
  assert.ok(sandbox.points({ device: 'made-by-hand' }).length > 0);
  assert.deepEqual(readdirSync(join(place.path, 'state')), []);
  assert.ok(agent.output.every((line) => !line.includes('givenTokenOfTheDevice')));
});

test('one rejection of a token is logged once and does not provision again', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const run = ['run', '--config', await place.config(toml(sandbox)), '--state', join(place.path, 'state')];
  await using agent = AgentProcess.run(run);
  await agent.line('first telemetry accepted');
  sandbox.core.admin.revokeToken('gw-test');
  assert.match(await agent.line('rejects the access token'), /error.*check that the device exists/);
  assert.equal(sandbox.stats().requests['provision SUCCESS'], 1);
  assert.equal(sandbox.devices().length, 1);
  assert.equal(await agent.stop(), 0);
});

test('a state directory shared with others is rejected, and its mode is unchanged', {
  timeout: 30_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  await chmod(place.path, 0o777);
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml(sandbox)),
    '--state',
    place.path,
  ]);
  assert.equal(await agent.exit(), 75);
  await agent.line('choose a private directory with --state');
  assert.equal((await stat(place.path)).mode & 0o777, 0o777);
});

test('unreadable credentials are not reported as missing ones', {
  timeout: 30_000,
}, async () => {
  await using place = await tempDir();
  const state = join(place.path, 'state');
  for (const name of ['credentials.json', 'credentials.backup.json'])
    await mkdir(join(state, name), { recursive: true, mode: 0o700 });
  const file = await place.config('[server]\nurl = "coap://127.0.0.1:9"\n[device]\nname = "gw-test"\n');
  await using agent = AgentProcess.run(['run', '--config', file, '--state', state]);
  const line = await agent.line('FL-CREDENTIALS-STORAGE-FAILED');
  assert.match(line, /credentials\.json is not a regular file.*move it away/);
  assert.equal(await agent.stop(), 0);
  assert.ok(!agent.output.some((output) => output.includes('FL-PROVISIONING-KEY-MISSING')));
});

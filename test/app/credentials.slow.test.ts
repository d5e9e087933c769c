/** The whole agent and its credentials over several boots: other server, second agent, deleted secret, other name. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from './agent-process.ts';
import { provisioning, toml } from './credentials-harness.ts';

test('another server gets its own credentials, and returning restores the old ones', {
  timeout: 40_000,
}, async () => {
  await using here = await openSandbox({ provisioning });
  await using there = await openSandbox({ provisioning });
  await using place = await tempDir();
  const boot = async (server: Sandbox, expected: string) => {
    const file = await place.config(toml(server));
    await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
    await agent.line(expected);
    await agent.line('first telemetry accepted');
    assert.equal(await agent.stop(), 0);
  };
  await boot(here, 'no credentials found');
  await boot(there, 'belong to another server');
  await boot(here, 'archived credentials match again');
  for (const server of [here, there]) assert.equal(server.stats().requests['provision SUCCESS'], 1);
});

test('a second agent on the same state directory exits, and the first continues', {
  timeout: 30_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const run = ['run', '--config', await place.config(toml(sandbox)), '--state', join(place.path, 'state')];
  await using first = AgentProcess.run(run);
  await first.line('first telemetry accepted');
  await using second = AgentProcess.run(run);
  assert.equal(await second.exit(), 75);
  await second.line('another agent is already running on');
  assert.equal(await first.stop(), 0);
});

test('the provisioning secret is deleted after success, and the next boot works', {
  timeout: 30_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const secret = join(place.path, 'secret');
  await writeFile(secret, 'ps1-the-secret\n', { mode: 0o600 });
  const pair = `key = "pk1"\nsecret-file = "${secret}"\nafter-success = "forget"`;
  const run = [
    'run',
    '--config',
    await place.config(toml(sandbox, pair)),
    '--state',
    join(place.path, 'state'),
  ];
  for (const boot of ['deleted the provisioning secret', 'credentials found']) {
    await using agent = AgentProcess.run(run);
    await agent.line(boot);
    await agent.line('first telemetry accepted');
    assert.equal(await agent.stop(), 0);
    assert.equal(existsSync(secret), false);
  }
});

test('another spelling of the same server URL keeps the credentials', {
  timeout: 30_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  for (const [host, expected] of [
    ['localhost', 'no credentials found'],
    ['LOCALHOST', 'credentials found'],
    ['LocalHost', 'credentials found'],
  ] as const) {
    const file = await place.config(toml(sandbox).replace('127.0.0.1', host));
    await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
    await agent.line(expected);
    await agent.line('first telemetry accepted');
    await agent.stop();
  }
  assert.equal(sandbox.stats().requests['provision SUCCESS'], 1);
});

test('a taken device name is logged with its remedy, and a new device.name is used', {
  timeout: 30_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  sandbox.core.admin.createDevice({ name: 'gw-test', token: 'tokenOfSomebodyElse' });
  await using place = await tempDir();
  const state = join(place.path, 'state');
  await using taken = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml(sandbox)),
    '--state',
    state,
  ]);
  assert.match(
    await taken.line('declined to provision this device name'),
    /error.*set another device\.name.*device=gw-test/,
  );
  await taken.stop();
  const renamed = await place.config(toml(sandbox).replace('gw-test', 'gw-other'));
  await using agent = AgentProcess.run(['run', '--config', renamed, '--state', state]);
  await agent.line('first telemetry accepted');
  await agent.stop();
  assert.deepEqual(
    sandbox
      .devices()
      .map(({ name }) => name)
      .sort(),
    ['gw-other', 'gw-test'],
  );
});

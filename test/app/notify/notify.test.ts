/** The real agent and a notification socket: reloads, and their effect on settings and outbox. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { freeUdpPort } from '../../free-port.ts';
import { AgentProcess, tempDir } from '../agent-process.ts';
import { openHarness, provisioning, skip, toml } from './notify-harness.ts';

test('a reload applies a valid configuration, rejects an invalid one, and completes', {
  skip,
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await openHarness();
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)));
  await agent.line('first telemetry accepted');
  let heard = at.socket.messages.length;
  const reloaded = async () => {
    agent.kill('SIGHUP');
    await at.socket.message(/RELOADING=1\|MONOTONIC_USEC=\d+/, heard);
    await at.socket.message(/READY=1/, heard + 1);
    heard = at.socket.messages.length;
  };
  await reloaded();
  await agent.line('the configuration was reloaded; nothing has changed');
  await at.dropIn('[telemetry]\ninterval = "1"\n[log]\nlevel = "loud"\n');
  await reloaded();
  await agent.line('conf.d/50-test.toml:2: telemetry.interval = "1" is not a duration');
  await agent.line('conf.d/50-test.toml:4: log.level = "loud"');
  await agent.line('reload again problems=2');
  await at.dropIn('[log]\nlevel = "debug"\n');
  await reloaded();
  await agent.line('the new settings apply changed=log');
  await agent.line('telemetry accepted readings=1');
  assert.equal(await agent.stop(), 0);
  assert.equal(sandbox.devices().length, 1);
  assert.equal(sandbox.stats().requests['provision SUCCESS'], 1);
});

test('messages go to the socket that systemd passes, without a process, also those of a reload', {
  skip,
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await openHarness();
  const environment = { WATCHDOG_USEC: '600000', PATH: '/nonexistent' };
  const config = await at.place.config(toml(sandbox.coapPort));
  await using agent = at.run(config, environment, { isSocketPassed: true });
  assert.match(await at.socket.message(/READY=1/), /WATCHDOG=1/);
  await at.socket.message(/STATUS=online/);
  const { length } = at.socket.messages;
  agent.kill('SIGHUP');
  await at.socket.message(/RELOADING=1\|MONOTONIC_USEC=\d+/, length);
  await at.socket.message(/READY=1/, length);
  await at.socket.message(/WATCHDOG=1/, length);
  assert.equal(await agent.stop(), 0);
  await at.socket.message(/STOPPING=1/);
  assert.ok(!agent.output.some((line) => line.includes('cannot notify systemd')));
});

test('a reload to another server delivers the queued readings there from memory', {
  timeout: 60_000,
}, async () => {
  const absentPort = await freeUdpPort();
  await using place = await tempDir();
  await using other = await openSandbox({ provisioning });
  const file = await place.config(toml(absentPort));
  const state = join(place.path, 'state');
  await using agent = AgentProcess.run(['run', '--config', file, '--state', state]);
  await agent.line('nothing listens on the port');
  const reloadedMs = Date.now();
  await place.config(toml(other.coapPort));
  agent.kill('SIGHUP');
  await agent.line('the new settings apply changed=server');
  await agent.line('provisioned: token stored');
  await agent.line('first telemetry accepted');
  assert.equal(await agent.stop(), 0);
  assert.ok(other.points({ key: 'uptimeS' }).some(({ ts }) => ts < reloadedMs));
  assert.deepEqual(
    agent.output.filter((line) => line.includes('disk')),
    [],
  );
});

test('a reload to a configuration that cannot work reverts to the previous one', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const file = await place.config(toml(sandbox.coapPort));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
  await agent.line('first telemetry accepted');
  await place.config('[server]\nurl = "coap://127.0.0.1:9"\n[clock]\ntrust = "system"\n');
  agent.kill('SIGHUP');
  await agent.line('the agent cannot run with the new configuration and keeps the previous settings');
  await agent.line('archived credentials match again');
  const points = sandbox.points().length;
  await agent.lines('first telemetry accepted', 2);
  assert.ok(sandbox.points().length >= points);
  assert.equal(await agent.stop(), 0);
  assert.equal(sandbox.stats().requests['provision SUCCESS'], 1);
});

test('a reload that changes [outbox] keeps the queued readings', { timeout: 60_000 }, async () => {
  const absentPort = await freeUdpPort();
  await using place = await tempDir();
  const file = await place.config(toml(absentPort));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
  await agent.line('nothing listens on the port');
  await place.config(`${toml(absentPort)}[outbox]\nspool-after = "5s"\n`);
  agent.kill('SIGHUP');
  await agent.line('the new settings apply changed=outbox');
  const [, again = ''] = await agent.lines('firstlight is ready', 2);
  assert.match(again, /queuedReadings=[1-9]/);
  assert.equal(agent.output.filter((line) => line.includes('firstlight stopped')).length, 0);
  assert.equal(await agent.stop(), 0);
});

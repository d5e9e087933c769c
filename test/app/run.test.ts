/** The whole agent as a process against the sandbox over UDP: first and second boot, failures, exit codes, no secrets in output. */

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { freeUdpPort } from '../free-port.ts';
import { AgentProcess, tempDir } from './agent-process.ts';

const SECRET = 'a-provisioning-secret-nobody-may-see';
const provisioning = { key: 'key-of-the-profile', secret: SECRET };

function toml(sandbox: Pick<Sandbox, 'coapPort'>, extra = ''): string {
  return `[server]
url = "coap://127.0.0.1:${sandbox.coapPort}"
spread = "0s"
[provisioning]
key = "${provisioning.key}"
secret = "${SECRET}"
${extra}
[device]
name = "gw-test"
[telemetry]
interval = "1s"
[clock]
trust = "system"
[log]
level = "debug"
`;
}

for (const mode of ['device-generated', 'server-generated'] as const) {
  test(`${mode}: a first boot provisions and delivers, a second boot only delivers`, {
    timeout: 30_000,
  }, async () => {
    await using sandbox = await openSandbox({ provisioning });
    await using place = await tempDir();
    const file = await place.config(toml(sandbox, `credentials = "${mode}"`));
    const run = ['run', '--config', file, '--state', join(place.path, 'state')];
    for (const boot of ['provisioned: token stored', 'credentials found']) {
      await using agent = AgentProcess.run(run);
      await agent.line(boot);
      await agent.line('first telemetry accepted');
      assert.equal(await agent.stop(), 0);
      await agent.line('firstlight stopped');
    }
    assert.deepEqual(
      sandbox.devices().map(({ name }) => name),
      ['gw-test'],
    );
    assert.equal(sandbox.stats().requests['provision SUCCESS'], 1);
    const keys = new Set(sandbox.points({ device: 'gw-test' }).map(({ key }) => key));
    for (const key of ['uptimeS', 'memoryUsedPercent', 'load1']) assert.ok(keys.has(key), key);
    const stored = JSON.parse(await readFile(join(place.path, 'state', 'credentials.json'), 'utf8')) as {
      token: string;
    };
    assert.equal(sandbox.devices()[0]?.token, stored.token);
    assert.equal((await stat(join(place.path, 'state', 'credentials.json'))).mode & 0o777, 0o600);
  });
}

test('every reading is stored once, with its own timestamp', { timeout: 30_000 }, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const before = Date.now();
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml(sandbox)),
    '--state',
    place.path,
  ]);
  await agent.line('first telemetry accepted');
  await agent.line('telemetry accepted readings=1 queuedReadings=0');
  await agent.stop();
  const points = sandbox.points({ key: 'uptimeS' });
  assert.ok(points.length >= 1);
  assert.equal(new Set(points.map(({ ts }) => ts)).size, points.length);
  assert.ok(points.every(({ ts, tsGiven }) => tsGiven && ts >= before && ts <= Date.now()));
  assert.equal(sandbox.stats().points.duplicatePoints, 0);
});

test('the facts about the host arrive once, as client attributes', { timeout: 40_000 }, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml(sandbox)),
    '--state',
    place.path,
  ]);
  await agent.line('client attributes accepted');
  await agent.stop();
  const client = JSON.stringify(sandbox.devices()[0]);
  for (const key of ['architecture', 'kernel', 'agentVersion']) assert.ok(client.includes(key), key);
});

test('the agent waits for an absent server and then delivers the queued readings', {
  timeout: 60_000,
}, async () => {
  const coapPort = await freeUdpPort();
  await using place = await tempDir();
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml({ coapPort })),
    '--state',
    place.path,
  ]);
  assert.match(await agent.line('nothing listens on the port'), /warn.*reason=port-closed/);
  const readyAt = Date.now();
  await using sandbox = await openSandbox({ provisioning, coapPort });
  await agent.line('first telemetry accepted');
  await agent.stop();
  assert.ok(
    sandbox.points({ key: 'uptimeS' }).some(({ ts }) => ts < readyAt),
    'a reading from before the server came',
  );
});

test('a wrong provisioning secret is logged with its remedy', { timeout: 30_000 }, async () => {
  await using sandbox = await openSandbox({ provisioning: { ...provisioning, secret: 'another' } });
  await using place = await tempDir();
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml(sandbox)),
    '--state',
    place.path,
  ]);
  assert.match(
    await agent.line('reason=provisioning-key-unknown'),
    /error.*compare provisioning\.key and provisioning\.secret/,
  );
  assert.equal(await agent.stop(), 0);
});

test('the output of a whole run contains no token and no secret', { timeout: 60_000 }, async () => {
  const output: string[] = [];
  const secrets = new Set([SECRET]);
  for (const format of ['text', 'json']) {
    await using sandbox = await openSandbox({ provisioning });
    await using place = await tempDir();
    const environment = { FIRSTLIGHT_LOG_FORMAT: format };
    const run = ['run', '--config', await place.config(toml(sandbox)), '--state', place.path];
    for (const boot of ['first', 'second']) {
      await using agent = AgentProcess.run(run, environment);
      await agent.line('telemetry accepted');
      if (boot === 'second') {
        const [device] = sandbox.devices();
        if (device?.token) secrets.add(device.token);
        sandbox.setKnobs({ rateLimited: true });
        await agent.line('server-overloaded');
        sandbox.setKnobs({ rateLimited: false });
      }
      await agent.stop();
      output.push(...agent.output);
    }
  }
  assert.ok(output.length > 10);
  assert.equal(secrets.size, 3);
  for (const secret of secrets) {
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').slice(0, 12),
    ]) {
      assert.deepEqual(
        output.filter((line) => line.includes(form)),
        [],
      );
    }
  }
});

test('an invalid configuration exits 78 with all problems and without its secret', {
  timeout: 20_000,
}, async () => {
  await using place = await tempDir();
  const file = await place.config(
    `[server]\nurl = "mqtt://x"\n[telemetry]\ninterval = "10"\nintervall = 3\n[provisioning]\nkey = "k"\nsecret = 12345678901\n`,
  );
  await using agent = AgentProcess.run(['run', '--config', file, '--state', place.path]);
  assert.equal(await agent.exit(), 78);
  const output = agent.output.join('\n');
  for (const part of [`${file}:2`, `${file}:4`, `${file}:5`, `${file}:8`, 'example'])
    assert.ok(output.includes(part), `${part} in:\n${output}`);
  assert.ok(!output.includes('12345678901'));
});

test('without credentials and provisioning key, the agent exits 78 with the remedy', {
  timeout: 20_000,
}, async () => {
  await using place = await tempDir();
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config('[server]\nurl = "coap://127.0.0.1"\n'),
    '--state',
    place.path,
  ]);
  assert.equal(await agent.exit(), 78);
  await agent.line('set provisioning.key and provisioning.secret');
});

test('a mistyped command or option exits 64 and suggests the right one', { timeout: 20_000 }, async () => {
  for (const [given, hint] of [
    [['rnu'], 'run'],
    [['run', '--confg', 'x'], '--config'],
  ] as const) {
    await using agent = AgentProcess.run(given);
    assert.equal(await agent.exit(), 64);
    assert.ok(agent.output.join('\n').includes(`Did you mean ${hint}?`), agent.output.join('\n'));
  }
});

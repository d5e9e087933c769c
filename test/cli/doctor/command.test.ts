/** `firstlight doctor` as a process: beside a running agent, without one, and with an invalid configuration. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';

const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

interface Check {
  readonly check: string;
  readonly status: string;
  readonly observed: string;
  readonly action?: string;
}

function toml(coapPort: number): string {
  return `[server]\nurl = "coap://127.0.0.1:${coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`;
}

async function examined(commandLine: readonly string[]) {
  await using doctor = AgentProcess.run(['doctor', '--json', ...commandLine]);
  const code = await doctor.exit();
  const text = doctor.output.join('\n');
  const { checks } = JSON.parse(text) as { checks: Check[] };
  return { code, text, of: (name: string) => checks.find(({ check }) => check === name) };
}

test('doctor verifies the stored token beside a running agent', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const [state, file] = [join(place.path, 'state'), await place.config(toml(sandbox.coapPort))];
  const places = ['--config', file, '--state', state, '--runtime', place.path];
  await using agent = AgentProcess.run(['run', '--config', file, '--state', state], {
    RUNTIME_DIRECTORY: place.path,
  });
  await agent.line('first telemetry accepted');
  const well = await examined([...places, '--telemetry']);
  for (const name of ['configuration', 'identity', 'clock', 'UDP path', 'token', 'telemetry'])
    assert.equal(well.of(name)?.status, 'pass', `${name}: ${well.of(name)?.observed}`);
  const [device] = sandbox.devices();
  for (const secret of [provisioning.secret, device?.token ?? 'no device'])
    assert.ok(!well.text.includes(secret));
  assert.equal(sandbox.devices().length, 1);
  assert.equal(await agent.stop(), 0);
});

test('doctor does not send the token to a server to which it does not belong', {
  timeout: 60_000,
}, async () => {
  await using own = await openSandbox({ provisioning });
  await using other = await openSandbox({ provisioning });
  await using place = await tempDir();
  const state = join(place.path, 'state');
  {
    const file = await place.config(toml(own.coapPort));
    await using agent = AgentProcess.run(['run', '--config', file, '--state', state]);
    await agent.line('first telemetry accepted');
    assert.equal(await agent.stop(), 0);
  }
  // This server would accept the token.
  const made = other.core.admin.createDevice({
    name: 'gw-test',
    token: own.devices()[0]?.token ?? 'no device',
  });
  assert.ok(made.ok);
  const file = await place.config(toml(other.coapPort));
  const places = ['--config', file, '--state', state, '--runtime', place.path];
  const { of } = await examined([...places, '--telemetry']);
  assert.equal(of('token')?.status, 'skip');
  assert.match(of('token')?.observed ?? '', /belong to another server \(coap:.*nothing was sent/);
  assert.equal(of('telemetry'), undefined);
  const asked = Object.keys(other.stats().requests);
  assert.deepEqual(asked, ['token unauthorized']); // the token that nobody has
});

test('doctor reports all problems of a configuration and runs the other checks', {
  timeout: 30_000,
}, async () => {
  await using place = await tempDir();
  const file = await place.config('[server]\nurl = "mqtt://x"\n[log]\nlevel = "loud"\n');
  const { code, of } = await examined(['--config', file, '--state', place.path, '--runtime', place.path]);
  assert.equal(code, 1);
  assert.match(of('configuration')?.observed ?? '', /server\.url.*log\.level/);
  assert.ok(of('network') !== undefined && of('service') !== undefined);
});

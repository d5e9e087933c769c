/**
 * As a new user does it: one command sets up ThingsBoard and writes the file of the gateways, a second one starts a gateway with it,
 * and its data is on the server. The strict double plays the REST API, the sandbox the devices' side of the same server.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess } from '../../app/agent-process.ts';
import { freeUdpPort } from '../../free-port.ts';
import { ADMIN, RestDouble } from '../../thingsboard/double/rest-double.ts';
import { CommandHarness } from './command-harness.ts';

/** From the first command to the first stored value. */
const TIME_MS_MAX = 120_000;

test('from an empty tenant to the data of a gateway in two commands and less than two minutes', async () => {
  await using double = await RestDouble.open();
  using harness = new CommandHarness();
  const coapPort = await freeUdpPort();
  const toml = join(harness.directory, 'firstlight.toml');
  const { url, user, passwordFile } = harness.login(double);
  const startedMs = performance.now();

  await using setup = AgentProcess.run([
    ...['thingsboard', 'setup', '--url', url, '--user', user, '--password-file', passwordFile],
    ...['--server-url', `coap://127.0.0.1:${coapPort}`, '--write', toml],
  ]);
  assert.equal(await setup.exit(), 0, setup.output.join('\n'));

  const text = readFileSync(toml, 'utf8');
  const settingOf = (name: string): string => new RegExp(`^${name} = "(.*)"$`, 'm').exec(text)?.[1] ?? '';
  await using sandbox = await openSandbox({
    coapPort,
    provisioning: { key: settingOf('key'), secret: settingOf('secret') },
  });
  await using agent = AgentProcess.run([
    'run',
    '--config',
    toml,
    '--state',
    join(harness.directory, 'state'),
  ]);
  await agent.line('event=FL-TELEMETRY-STARTED');

  assert.ok(performance.now() - startedMs < TIME_MS_MAX);
  assert.equal(sandbox.devices().length, 1);
  assert.ok(!setup.output.join('\n').includes(settingOf('secret')));
  assert.ok(!setup.output.join('\n').includes(ADMIN.password));
});

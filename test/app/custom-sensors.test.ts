/** The whole agent with custom sensors: values on the server, failures in the log, no process left behind. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from './agent-process.ts';

const SECRET = 'a-provisioning-secret-nobody-may-see';
const provisioning = { key: 'k', secret: SECRET };

async function harness() {
  const sandbox = await openSandbox({ provisioning });
  const place = await tempDir();
  const path = (name: string) => join(place.path, name);
  const program = async (name: string, script: string) => {
    await writeFile(path(name), `#!/bin/sh\n${script}\n`);
    await chmod(path(name), 0o755);
    return path(name);
  };
  const config = (own: string) =>
    place.config(
      `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n[log]\nlevel = "debug"\n${own}`,
    );
  const run = (file: string) =>
    AgentProcess.run(['run', '--config', file, '--state', path('state')], {
      FIRSTLIGHT_PROVISIONING_SECRET: SECRET,
      CREDENTIALS_DIRECTORY: path('credentials'),
    });
  const close = async () => {
    await sandbox[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { sandbox, path, program, config, run, [Symbol.asyncDispose]: close };
}

/** Checks after each message that the server accepted, until the condition holds. */
async function untilLogged(agent: AgentProcess, condition: () => boolean): Promise<void> {
  for (let messages = 1; !condition(); messages += 1) await agent.lines('telemetry accepted', messages);
}

test('custom sensors deliver values, and a failing one is logged once', {
  timeout: 60_000,
}, async () => {
  await using at = await harness();
  const boiler = await at.program(
    'boiler',
    `env >> ${at.path('environment')}\necho '{"flow_temp": 61.25, "pump": true, "state": "heating"}'`,
  );
  const hanging = await at.program('hung', `echo $$ > ${at.path('pid')}; sleep 600`);
  await writeFile(at.path('level'), '45000\n');
  const file = await at.config(`[sensors]
profile = "minimal"
rename = "boilerPump=pumpOn"
[[sensor.exec]]
name = "boiler"
command = ["${boiler}"]
every = "1s"
[[sensor.exec]]
name = "broken"
command = ["${at.path('not-there')}"]
every = "1s"
[[sensor.exec]]
name = "hung"
command = ["${hanging}"]
[[sensor.file]]
name = "tankLevel"
path = "${at.path('level')}"
scale = "0.001"
`);
  await using agent = at.run(file);
  await agent.line('provisioned: token stored');
  const stored = () => at.sandbox.points().map(({ key, value }) => `${key}=${value}`);
  await untilLogged(agent, () => stored().some((point) => point.startsWith('boilerState')));
  await untilLogged(agent, () => existsSync(at.path('pid')) && readFileSync(at.path('pid'), 'utf8') !== '');
  assert.equal(await agent.stop(), 0);
  for (const point of ['boilerFlowTemp=61.25', 'pumpOn=true', 'boilerState=heating', 'tankLevel=45'])
    assert.ok(stored().includes(point), `${point} in ${stored().join(' ')}`);
  assert.equal(
    stored().some((point) => point.startsWith('boilerPump')),
    false,
  );
  const failures = agent.output.filter((line) => line.includes('a custom sensor cannot be read'));
  assert.equal(failures.length, 1, failures.join('\n'));
  assert.match(failures[0] ?? '', /sensor=broken .*not-there does not exist.*check the path in command/);
  assert.doesNotMatch(readFileSync(at.path('environment'), 'utf8'), /nobody-may-see|CREDENTIALS|FIRSTLIGHT/);
  const pid = readFileSync(at.path('pid'), 'utf8').trim();
  while (existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')))
    await new Promise(setImmediate);
});

test('a reload starts the new sensor program and stops the old one', { timeout: 60_000 }, async () => {
  await using at = await harness();
  const program = await at.program('program', 'echo 7');
  const own = (name: string) => `[[sensor.exec]]\nname = "${name}"\ncommand = ["${program}"]\nevery = "1s"\n`;
  await using agent = at.run(await at.config(own('before')));
  const has = (key: string) => at.sandbox.points({ key }).length > 0;
  const until = (key: string) => untilLogged(agent, () => has(key));
  await until('before');
  await at.config(own('after'));
  agent.kill('SIGHUP');
  await agent.line('the new settings apply changed=sensors');
  await until('after');
  const last = Math.max(...at.sandbox.points({ key: 'before' }).map(({ ts }) => ts));
  const first = Math.min(...at.sandbox.points({ key: 'after' }).map(({ ts }) => ts));
  assert.ok(last < first);
  assert.equal(await agent.stop(), 0);
});

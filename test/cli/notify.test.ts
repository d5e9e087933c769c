/** The real agent and a socket like systemd's: ready, alive, status, reload, the end; and what reload does to the settings. */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, workshop } from './agent-process.ts';
import { LACKING, NotifySocket } from './notify-socket.ts';

const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };
const skip = LACKING === false ? false : `${LACKING} is not installed`;

function toml(coapPort: number, interval = '1s'): string {
  return `[server]\nurl = "coap://127.0.0.1:${coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "${interval}"\n[clock]\ntrust = "system"\n`;
}

async function stage() {
  const place = await workshop();
  const socket = await NotifySocket.open();
  const run = (file: string, environment: NodeJS.ProcessEnv = {}) =>
    AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')], {
      NOTIFY_SOCKET: socket.path,
      ...environment,
    });
  const dropIn = async (text: string) => {
    await mkdir(join(place.path, 'conf.d'), { recursive: true });
    await writeFile(join(place.path, 'conf.d', '50-test.toml'), text);
  };
  const close = async () => {
    await socket[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, socket, run, dropIn, [Symbol.asyncDispose]: close };
}

test('systemd hears READY, a status, a sign of life at half the time, STOPPING; and no secret', {
  skip,
  timeout: 40_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await stage();
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)), { WATCHDOG_USEC: '2000000' });
  assert.match(await at.socket.message(/READY=1/), /WATCHDOG=1/);
  await at.socket.message(/STATUS=online, \d+ readings? delivered, last \d+ s ago/);
  const { length } = at.socket.messages;
  for (let beat = 0; beat < 6; beat += 1) await at.socket.message(/WATCHDOG=1/, length + beat);
  assert.equal(await agent.stop(), 0);
  await at.socket.message(/STOPPING=1/);
  const beats = at.socket.messages.filter(({ text }) => text.includes('WATCHDOG=1')).map(({ atMs }) => atMs);
  const pauses = beats.slice(1).map((atMs, index) => atMs - (beats[index] ?? 0));
  assert.ok(Math.max(...pauses) < 2_000, `${pauses}`);
  assert.ok(
    at.socket.messages.length < 6 + beats.length,
    'one message for each sign of life, and few others',
  );
  const [device] = sandbox.devices();
  for (const secret of [provisioning.secret, device?.token ?? 'no device'])
    assert.ok(at.socket.messages.every(({ text }) => !text.includes(secret)));
});

test('without a server READY comes all the same, and the status says what is wrong', {
  skip,
  timeout: 40_000,
}, async () => {
  const gone = await openSandbox({ provisioning });
  await gone[Symbol.asyncDispose]();
  await using at = await stage();
  await using agent = at.run(await at.place.config(toml(gone.coapPort)));
  await at.socket.message(/READY=1/);
  await at.socket.message(
    /STATUS=not provisioned for \d+ s, \d+ readings? kept \(0 lost\); the host of the server/,
  );
  assert.ok(
    at.socket.messages.every(({ text }) => !text.includes('WATCHDOG=1')),
    'nobody asked for it',
  );
  assert.equal(await agent.stop(), 0);
});

test('a blocked event loop says nothing more', { skip, timeout: 40_000 }, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await stage();
  const hook = `data:text/javascript,process.on('SIGUSR2',()=>{for(;;);})`;
  const environment = { WATCHDOG_USEC: '600000', NODE_OPTIONS: `--import=${hook}` };
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)), environment);
  await agent.line('first telemetry accepted');
  agent.kill('SIGUSR2');
  let heard = -1;
  // Quiet for three times the time in which systemd wants to hear of it.
  while (heard !== at.socket.messages.length) {
    heard = at.socket.messages.length;
    await new Promise((resolve) => setTimeout(resolve, 1_800));
  }
});

test('without systemd-notify the agent works, and says once that systemd hears nothing', {
  skip,
  timeout: 40_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await stage();
  const environment = { WATCHDOG_USEC: '600000', PATH: '/nonexistent' };
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)), environment);
  await agent.line('first telemetry accepted');
  await agent.line('systemd cannot be told how the agent does');
  assert.equal(await agent.stop(), 0);
  assert.equal(agent.output.filter((line) => line.includes('systemd cannot be told')).length, 1);
});

test('a reload takes a good configuration over, refuses a bad one, says when nothing changed; each is over for systemd', {
  skip,
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await stage();
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
  await agent.line('the configuration was read again, and nothing has changed');
  await at.dropIn('[telemetry]\ninterval = "1"\n[log]\nlevel = "loud"\n');
  await reloaded();
  await agent.line('conf.d/50-test.toml:2: telemetry.interval = "1" is not a duration');
  await agent.line('conf.d/50-test.toml:4: log.level = "loud"');
  await agent.line('reload again problems=2');
  await at.dropIn('[log]\nlevel = "debug"\n');
  await reloaded();
  await agent.line('counts from now on changed=log');
  await agent.line('telemetry accepted readings=1');
  assert.equal(await agent.stop(), 0);
  assert.equal(sandbox.devices().length, 1);
  assert.equal(sandbox.stats().requests['provision SUCCESS'], 1);
});

test('a reload to another server loses no reading and writes none to the disk: what waited goes there', {
  timeout: 60_000,
}, async () => {
  const gone = await openSandbox({ provisioning });
  await gone[Symbol.asyncDispose]();
  await using place = await workshop();
  await using other = await openSandbox({ provisioning });
  const file = await place.config(toml(gone.coapPort));
  const state = join(place.path, 'state');
  await using agent = AgentProcess.run(['run', '--config', file, '--state', state]);
  await agent.line('nothing listens there');
  const reloadedMs = Date.now();
  await place.config(toml(other.coapPort));
  agent.kill('SIGHUP');
  await agent.line('counts from now on changed=server');
  await agent.line('provisioned: token stored');
  await agent.line('first telemetry accepted');
  assert.equal(await agent.stop(), 0);
  assert.ok(other.points({ key: 'uptimeS' }).some(({ ts }) => ts < reloadedMs));
  assert.deepEqual(
    agent.output.filter((line) => line.includes('disk')),
    [],
  );
});

test('a reload to a configuration that cannot work goes back to the one before', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await workshop();
  const file = await place.config(toml(sandbox.coapPort));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
  await agent.line('first telemetry accepted');
  await place.config('[server]\nurl = "coap://127.0.0.1:9"\n[clock]\ntrust = "system"\n');
  agent.kill('SIGHUP');
  await agent.line('the new configuration cannot work, and the settings from before go on');
  await agent.line('credentials that were set aside fit again');
  const points = sandbox.points().length;
  await agent.lines('first telemetry accepted', 2);
  assert.ok(sandbox.points().length >= points);
  assert.equal(await agent.stop(), 0);
  assert.equal(sandbox.stats().requests['provision SUCCESS'], 1);
});

test('another [outbox] is taken over with what waits in the one before', { timeout: 60_000 }, async () => {
  const gone = await openSandbox({ provisioning });
  await gone[Symbol.asyncDispose]();
  await using place = await workshop();
  const file = await place.config(toml(gone.coapPort));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
  await agent.line('nothing listens there');
  await place.config(`${toml(gone.coapPort)}[outbox]\nspool-after = "5s"\n`);
  agent.kill('SIGHUP');
  await agent.line('counts from now on changed=outbox');
  const [, again = ''] = await agent.lines('firstlight is ready', 2);
  assert.match(again, /waiting=[1-9]/);
  assert.equal(agent.output.filter((line) => line.includes('firstlight stopped')).length, 0);
  assert.equal(await agent.stop(), 0);
});

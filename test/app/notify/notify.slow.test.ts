/** The real agent and a notification socket: watchdog messages over seconds, and a missing systemd-notify. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { freeUdpPort } from '../../free-port.ts';
import { FakeDate, noFaketime } from '../../host/clock/fake-date.ts';
import { openHarness, provisioning, skip, toml } from './notify-harness.ts';

const MINUTE_MS = 60_000;

test('systemd receives READY, STATUS, WATCHDOG and STOPPING, without a secret', {
  skip,
  timeout: 40_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await openHarness();
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

test('READY is sent without a server, and the status names the failure', {
  skip,
  timeout: 40_000,
}, async () => {
  await using at = await openHarness();
  await using agent = at.run(await at.place.config(toml(await freeUdpPort())));
  await at.socket.message(/READY=1/);
  await at.socket.message(/STATUS=not provisioned for \d+ s, \d+ readings? queued \(0 lost\); /);
  assert.ok(
    at.socket.messages.every(({ text }) => !text.includes('WATCHDOG=1')),
    'nobody asked for it',
  );
  assert.equal(await agent.stop(), 0);
});

test('watchdog messages go on when the clock is set back and forward again', {
  skip: skip || noFaketime,
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await openHarness();
  const date = new FakeDate(join(at.place.path, 'date'));
  date.restore();
  const environment = { ...date.environment, TZ: 'UTC', WATCHDOG_USEC: '2000000' };
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)), environment);
  await agent.line('first telemetry accepted');
  const setDates = [() => date.set(Date.now() - 20 * MINUTE_MS), () => date.restore()];
  for (const [index, setDate] of setDates.entries()) {
    setDate();
    await agent.lines('event=FL-CLOCK-STEPPED', index + 1);
    const { length } = at.socket.messages;
    for (let beat = 0; beat < 5; beat += 1) await at.socket.message(/WATCHDOG=1/, length + beat);
  }
  const beats = at.socket.messages.filter(({ text }) => text.includes('WATCHDOG=1')).map(({ atMs }) => atMs);
  const pauses = beats.slice(1).map((atMs, index) => atMs - (beats[index] ?? 0));
  assert.ok(Math.max(...pauses) < 2_000, `${pauses}`);
  const steps = agent.output.filter((line) => line.includes('event=FL-CLOCK-STEPPED'));
  const byS = steps.map((line) => Math.round(Number(/byS=(\S+)/.exec(line)?.[1]) / 10) * 10);
  assert.deepEqual(byS, [-1200, 1200]);
  assert.ok(!agent.output.some((line) => line.includes('FL-AGENT-STALLED')));
  assert.equal(await agent.stop(), 0);
});

test('a blocked event loop sends no watchdog messages', { skip, timeout: 40_000 }, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await openHarness();
  const hook = `data:text/javascript,process.on('SIGUSR2',()=>{for(;;);})`;
  const environment = { WATCHDOG_USEC: '600000', NODE_OPTIONS: `--import=${hook}` };
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)), environment);
  await agent.line('first telemetry accepted');
  agent.kill('SIGUSR2');
  let heard = -1;
  // No message for three times the watchdog interval.
  while (heard !== at.socket.messages.length) {
    heard = at.socket.messages.length;
    await new Promise((resolve) => setTimeout(resolve, 1_800));
  }
});

test('without systemd-notify the agent works and logs the failure once', {
  skip,
  timeout: 40_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using at = await openHarness();
  const environment = { WATCHDOG_USEC: '600000', PATH: '/nonexistent' };
  await using agent = at.run(await at.place.config(toml(sandbox.coapPort)), environment);
  await agent.line('first telemetry accepted');
  await agent.line('the agent cannot notify systemd');
  assert.equal(await agent.stop(), 0);
  assert.equal(agent.output.filter((line) => line.includes('the agent cannot notify systemd')).length, 1);
});

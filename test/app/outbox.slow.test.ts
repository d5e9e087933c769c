/** The outbox of the whole agent: no disk writes while the server accepts everything, and new settings while the disk hangs. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { LoopDisk, loopDiskProblem, SYNCED_ONLY } from '../power/loop-disk.ts';
import { AgentProcess, tempDir } from './agent-process.ts';
import { provisioning, sandboxWithDevice, toml } from './outbox-harness.ts';

/** The whole seconds of uptime of which the server has a reading. */
function secondsStored(sandbox: Sandbox): number[] {
  const points = sandbox.points({ device: 'gw-outbox', key: 'uptimeS' });
  return [...new Set(points.map(({ value }) => Math.floor(Number(value))))].sort((a, b) => a - b);
}

test('an agent whose server accepts everything never creates a spool', { timeout: 30_000 }, async () => {
  const first = await openSandbox({ provisioning });
  const { coapPort } = first;
  await first[Symbol.asyncDispose]();
  await using sandbox = await sandboxWithDevice(coapPort);
  await using place = await tempDir();
  const state = join(place.path, 'state');
  await using agent = AgentProcess.run([
    'run',
    '--config',
    await place.config(toml(coapPort)),
    '--state',
    state,
  ]);
  await agent.line('client attributes accepted');
  while (secondsStored(sandbox).length < 8) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(
    (await readdir(state)).filter((name) => name === 'spool'),
    [],
  );
  assert.equal(await agent.stop(), 0);
  assert.deepEqual(
    (await readdir(state)).filter((name) => name === 'spool'),
    [],
  );
  const seconds = secondsStored(sandbox);
  const [firstSecond = 0] = seconds;
  assert.equal((seconds.at(-1) ?? 0) - firstSecond, seconds.length - 1, 'a second is missing');
});

/** Seconds without a reading while an outbox is replaced: the old one has one second to write. */
const MISSING_SECONDS_MAX = 3;

test('new settings of the outbox wait for a disk that hangs, and no reading is lost', {
  timeout: 120_000,
  skip: (await loopDiskProblem()) ?? false,
}, async () => {
  await using place = await tempDir();
  await using disk = await LoopDisk.create(join(place.path, 'disk'), SYNCED_ONLY);
  const first = await sandboxWithDevice(0);
  const { coapPort } = first;
  const config = await place.config(toml(coapPort));
  const run = ['run', '--config', config, '--state', join(disk.path, 'state')];
  await using agent = AgentProcess.run(run);
  await agent.line('client attributes accepted');
  await first[Symbol.asyncDispose]();
  execFileSync('fsfreeze', ['-f', disk.path]);
  let isFrozen = true;
  try {
    // The readings of the first five seconds are on their way to the disk now.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    await place.config(toml(coapPort).replace('flush-every = "5s"', 'flush-every = "6s"'));
    agent.kill('SIGHUP');
    await agent.line('the disk does not respond');
    const delayedMs = Date.now();
    await using sandbox = await sandboxWithDevice(coapPort);
    const points = () => sandbox.points({ device: 'gw-outbox', key: 'uptimeS' });
    while (!points().some(({ ts }) => ts > delayedMs))
      await new Promise((resolve) => setTimeout(resolve, 50));
    execFileSync('fsfreeze', ['-u', disk.path]);
    isFrozen = false;
    await agent.lines('firstlight is ready', 3);
    await agent.line('the backlog has been delivered');
    const readyMs = Date.now();
    while (!points().some(({ ts }) => ts > readyMs)) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await agent.stop(), 0);
    const seconds = secondsStored(sandbox);
    const missing = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0) + 1 - seconds.length;
    assert.ok(missing <= MISSING_SECONDS_MAX, `${missing} seconds are missing: ${seconds}`);
    assert.ok(
      seconds.length >= 8 &&
        delayedMs -
          (points()
            .map(({ ts }) => ts)
            .sort((a, b) => a - b)[0] ?? 0) >
          6_000,
    );
    assert.equal(new Set(points().map(({ ts }) => ts)).size, points().length);
  } finally {
    if (isFrozen) execFileSync('fsfreeze', ['-u', disk.path]);
  }
});

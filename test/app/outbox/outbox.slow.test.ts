/** The outbox of the whole agent: no disk writes while the server accepts everything, and new settings on a slow or hanging disk. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { freeUdpPort } from '../../free-port.ts';
import { LoopDisk, loopDiskProblem, SYNCED_ONLY } from '../../power/loop-disk.ts';
import { readingGridOf } from '../../system/reading-grid.ts';
import { AgentProcess, tempDir } from '../agent-process.ts';
import { provisioning, sandboxWithDevice, TOKEN, toml } from './outbox-harness.ts';

const PRELOAD = { NODE_OPTIONS: `--import=${new URL('disk-preload.js', import.meta.url)}` };

test('an agent whose server accepts everything never creates a spool', { timeout: 30_000 }, async () => {
  await using sandbox = await sandboxWithDevice(0);
  const { coapPort } = sandbox;
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
  while (readingGridOf(sandbox).readings < 8) await sleep(100);
  assert.deepEqual(
    (await readdir(state)).filter((name) => name === 'spool'),
    [],
  );
  assert.equal(await agent.stop(), 0);
  assert.deepEqual(
    (await readdir(state)).filter((name) => name === 'spool'),
    [],
  );
  assert.deepEqual(readingGridOf(sandbox).gaps, []);
});

/** Readings, one a second, that are not taken while an outbox is replaced: the old one has one second to write. */
const MISSING_MAX = 3;
const NEW_SETTINGS = ['flush-every = "5s"', 'flush-every = "6s"'] as const;
const DELAYED = 'event=FL-CONFIG-CHANGE-DELAYED';
const freezeProblem =
  (await loopDiskProblem()) ?? (spawnSync('fsfreeze', ['-V']).error ? 'no fsfreeze' : false);

async function untilReading(sandbox: Sandbox, afterMs: number): Promise<void> {
  while (!(readingGridOf(sandbox).lastMs > afterMs)) await sleep(50);
}

function countOf(agent: AgentProcess, text: string): number {
  return agent.output.filter((line) => line.includes(text)).length;
}

test('new settings of the outbox wait for a disk that hangs, and no reading is lost', {
  timeout: 120_000,
  skip: freezeProblem,
}, async () => {
  await using place = await tempDir();
  await using disk = await LoopDisk.create(join(place.path, 'disk'), SYNCED_ONLY);
  await using first = await openSandbox({ provisioning });
  const { coapPort } = first;
  first.core.admin.createDevice({ name: 'gw-outbox', token: TOKEN });
  const config = await place.config(toml(coapPort));
  await using agent = AgentProcess.run(['run', '--config', config, '--state', join(disk.path, 'state')]);
  await agent.line('client attributes accepted');
  await first[Symbol.asyncDispose]();
  const offlineMs = Date.now();
  execFileSync('fsfreeze', ['-f', disk.path]);
  let isFrozen = true;
  try {
    // The readings of the first five seconds are on their way to the disk then.
    await sleep(7_000);
    await place.config(toml(coapPort).replace(...NEW_SETTINGS));
    agent.kill('SIGHUP');
    await agent.line(DELAYED);
    const delayedMs = Date.now();
    await using sandbox = await sandboxWithDevice(coapPort);
    await untilReading(sandbox, delayedMs);
    execFileSync('fsfreeze', ['-u', disk.path]);
    isFrozen = false;
    await agent.lines('firstlight is ready', 3);
    await agent.line('the backlog has been delivered');
    await untilReading(sandbox, Date.now());
    assert.equal(await agent.stop(), 0);
    const { missing, gaps, firstMs } = readingGridOf(sandbox);
    assert.ok(missing <= MISSING_MAX, `${missing} readings are missing: ${JSON.stringify(gaps)}`);
    assert.ok(
      firstMs < offlineMs + 3_000,
      `the oldest reading is ${firstMs - offlineMs} ms after the outage began`,
    );
    assert.equal(countOf(agent, DELAYED), 1);
  } finally {
    if (isFrozen) execFileSync('fsfreeze', ['-u', disk.path]);
  }
});

test('new settings of the outbox apply on a disk that is slow, after one restart of the loops', {
  timeout: 120_000,
}, async () => {
  await using place = await tempDir();
  await using sandbox = await sandboxWithDevice(0);
  const { coapPort } = sandbox;
  // Its readings go to the disk, because the server does not know the token.
  const offline = toml(coapPort).replace(TOKEN, 'another-token');
  const run = ['run', '--config', await place.config(offline), '--state', join(place.path, 'state')];
  await using agent = AgentProcess.run(run, { ...PRELOAD, DISK_SYNC_MS: '4500' });
  await agent.line('are being stored on disk');
  // At least one reading is in memory then, so there is something to write.
  await sleep(1_500);
  await place.config(offline.replace(...NEW_SETTINGS));
  agent.kill('SIGHUP');
  // The first start, one that waits for the disk, and the one with the new outbox.
  await agent.lines('firstlight is ready', 3);
  await sleep(6_000);
  assert.equal(countOf(agent, 'firstlight is ready'), 3);
  assert.equal(countOf(agent, DELAYED), 1);
  // Closing the old outbox has no deadline: what it did not write would be lost.
  assert.equal(countOf(agent, 'FL-SHUTDOWN-WRITE-TIMEOUT'), 0);
});

test('new settings of the outbox stop no sampling while a delivered file cannot be removed', {
  timeout: 120_000,
}, async () => {
  await using place = await tempDir();
  const state = join(place.path, 'state');
  const coapPort = await freeUdpPort();
  const run = ['run', '--config', await place.config(toml(coapPort)), '--state', state];
  await using agent = AgentProcess.run(run, { ...PRELOAD, DISK_HANGS_BELOW: join(state, 'spool') });
  await agent.line('are being stored on disk');
  const onlineMs = Date.now();
  await using sandbox = await sandboxWithDevice(coapPort);
  // The backlog is delivered, and its file is being removed.
  while (!(readingGridOf(sandbox).firstMs < onlineMs)) await sleep(50);
  await untilReading(sandbox, Date.now() + 1_000);
  await place.config(toml(coapPort).replace(...NEW_SETTINGS));
  agent.kill('SIGHUP');
  await agent.line(DELAYED);
  await untilReading(sandbox, Date.now());
  assert.equal(await agent.stop(), 0);
  await agent.line('event=FL-SHUTDOWN-WRITE-TIMEOUT');
});

/** The whole agent without a server: its readings are on disk when it stops, and on the server after both are back. */

import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { createOffsetMemory } from '../../../src/host/clock/offset-memory.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { freeUdpPort } from '../../free-port.ts';
import { AgentProcess, tempDir } from '../agent-process.ts';
import { sandboxWithDevice, toml } from './outbox-harness.ts';

test('offline readings survive a restart and arrive with their own timestamps', {
  timeout: 60_000,
}, async () => {
  const coapPort = await freeUdpPort();
  await using place = await tempDir();
  const run = ['run', '--config', await place.config(toml(coapPort)), '--state', join(place.path, 'state')];
  const startedMs = Date.now();
  {
    await using agent = AgentProcess.run(run);
    await agent.line('are being stored on disk');
    const stopMs = Date.now();
    assert.equal(await agent.stop(), 0);
    assert.ok(Date.now() - stopMs < 5_000);
    assert.match(await agent.line('firstlight stopped'), /queuedReadings=[5-9]/);
  }
  const stoppedMs = Date.now();
  const spool = join(place.path, 'state', 'spool');
  assert.ok((await readdir(spool)).length > 0);
  await using sandbox = await sandboxWithDevice(coapPort);
  await using agent = AgentProcess.run(run);
  const queued = /queuedReadings=([5-9])/.exec(await agent.line('firstlight is ready'))?.[1];
  await agent.line('the backlog has been delivered');
  assert.equal(await agent.stop(), 0);
  const points = sandbox.points({ device: 'gw-outbox', key: 'uptimeS' });
  const early = sandbox.points({ device: 'gw-outbox' }).filter(({ ts }) => ts <= stoppedMs);
  // By all keys: two readings in one second have one uptime.
  assert.equal(new Set(early.map(({ ts }) => ts)).size, Number(queued));
  assert.ok(early.every(({ ts, tsGiven }) => tsGiven && ts >= startedMs));
  assert.equal(new Set(points.map(({ ts }) => ts)).size, points.length);
  assert.deepEqual(await readdir(spool), []);
});

test('a restart in the same boot keeps the clock offset for timestamps', {
  timeout: 60_000,
}, async () => {
  await using place = await tempDir();
  await using sandbox = await sandboxWithDevice(0);
  const runtime = join(place.path, 'run');
  await mkdir(runtime);
  const clock = hostClock();
  const offsetMs = clock.wallMs() - clock.bootMs();
  // An hour off the clock of this host, so that a timestamp shows which clock it is from.
  const hourBefore = { firstMs: offsetMs - 3_600_000, believedMs: offsetMs - 3_600_000 };
  createOffsetMemory({ directory: runtime, bootId: clock.bootId, log: new RecordingLogger() }).save(
    hourBefore,
  );
  const config = await place.config(toml(sandbox.coapPort).replace('"system"', '"synchronised"'));
  const run = ['run', '--config', config, '--state', join(place.path, 'state')];
  await using agent = AgentProcess.run(run, { RUNTIME_DIRECTORY: runtime });
  await agent.line('an earlier start in this boot');
  await agent.line('first telemetry accepted');
  const [point] = sandbox.points({ device: 'gw-outbox', key: 'uptimeS' });
  assert.ok(Math.abs((point?.ts ?? 0) - (Date.now() - 3_600_000)) < 60_000, JSON.stringify(point));
});

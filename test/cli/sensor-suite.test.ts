/** The sensors over a change of the configuration: kept as long as it says the same about them. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { SensorSuite } from '../../src/cli/sensor-suite.ts';
import { hostClock } from '../../src/host/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { UNTUNED } from '../../src/sensors/tuning.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { AgentProcess, workshop } from './agent-process.ts';

const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

test('the same words about the sensors leave them as they are, others open them anew', () => {
  const suite = new SensorSuite({ clock: hostClock(), log: new RecordingLogger() });
  const config = { ...UNTUNED, own: [] };
  const first = suite.as(config);
  assert.equal(suite.as({ ...config, everyMs: new Map(), own: [] }), first);
  assert.notEqual(suite.as({ ...config, everyMs: new Map([['cpu', 1000]]) }), first);
});

test('a reload to another profile changes the keys and loses no reading', { timeout: 60_000 }, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await workshop();
  const toml = (sensors: string) =>
    `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n[log]\nlevel = "debug"\n[sensors]\n${sensors}`;
  const file = await place.config(toml(''));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
  await agent.line('first telemetry accepted');
  await place.config(
    toml('profile = "minimal"\non = "load1"\noff = "cpu*"\nrename = "uptimeS=up"\nscale = "uptimeS=1000"\n'),
  );
  agent.kill('SIGHUP');
  await agent.line('counts from now on changed=sensors');
  await agent.lines('first telemetry accepted', 2);
  assert.equal(await agent.stop(), 0);
  const points = sandbox.points({ device: 'gw-test' });
  const since = Math.min(...points.filter(({ key }) => key === 'up').map(({ ts }) => ts));
  const [before, after] = [points.filter(({ ts }) => ts < since), points.filter(({ ts }) => ts >= since)];
  const keys = (some: typeof points) => new Set(some.map(({ key }) => key));
  for (const key of ['uptimeS', 'load1', 'oomKillCount']) assert.ok(keys(before).has(key), key);
  assert.deepEqual([...keys(after)].toSorted(), ['diskRootUsedPercent', 'load1', 'memoryUsedPercent', 'up']);
  assert.equal(sandbox.stats().points.duplicatePoints, 0);
});

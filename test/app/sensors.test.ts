/** The sensors over a reload: they stay open if their settings are unchanged. */

import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { join } from 'node:path';
import { it, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SensorSet, type SensorSetPorts } from '../../src/app/sensors.ts';
import { LossReport } from '../../src/core/model/loss-report.ts';
import { DeliveryCounters } from '../../src/core/status/counters.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { DEFAULT_TUNING } from '../../src/sensors/runtime/tuning.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { createHungFiles } from '../sensors/helpers/hung-files.ts';
import { AgentProcess, tempDir } from './agent-process.ts';

const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

function ports(): SensorSetPorts {
  return { clock: hostClock(), log: new RecordingLogger(), counters: new DeliveryCounters(), restarts: 0 };
}

test('sensors stay open with unchanged settings and are reopened with others', () => {
  const suite = new SensorSet(ports());
  const config = { ...DEFAULT_TUNING, custom: [] };
  const first = suite.open(config);
  assert.equal(suite.open({ ...config, everyMs: new Map(), custom: [] }), first);
  assert.notEqual(suite.open({ ...config, everyMs: new Map([['cpu', 1000]]) }), first);
});

test('a reload to another profile changes the keys and loses no reading', { timeout: 60_000 }, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const toml = (sensors: string) =>
    `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n[log]\nlevel = "debug"\n[sensors]\n${sensors}`;
  const file = await place.config(toml(''));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')]);
  await agent.line('first telemetry accepted');
  await place.config(
    toml('profile = "minimal"\non = "load1"\noff = "cpu*"\nrename = "uptimeS=up"\nscale = "uptimeS=1000"\n'),
  );
  agent.kill('SIGHUP');
  await agent.line('the new settings apply changed=sensors');
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

it('hanging drivers occupy two pool threads even after several reopens', {
  timeout: 20_000,
}, async (t) => {
  const { folder, release } = createHungFiles(t, 3);
  for (const [index, name] of ['BAT0', 'BAT1', 'BAT2'].entries()) {
    mkdirSync(join(folder, 'sys/class/power_supply', name), { recursive: true });
    symlinkSync(join(folder, `hung${index}`), join(folder, 'sys/class/power_supply', name, 'capacity'));
  }
  writeFileSync(join(folder, 'file'), 'still there');
  // No reading is delayed until its deadline.
  const clock = { ...hostClock(), sleep: () => Promise.resolve() };
  const suite = new SensorSet({ ...ports(), clock, root: folder });
  for (let reload = 0; reload < 6; reload += 1) {
    // Each reload queries another battery first.
    const off = ['supplyBat0*', 'supplyBat1*'].slice(0, reload % 3);
    const selection = { profile: 'minimal', on: ['supply'], off } as const;
    const { sensors } = suite.open({
      ...DEFAULT_TUNING,
      everyMs: new Map([['cpu', reload]]),
      selection,
      custom: [],
    });
    await sensors.sample();
  }
  // Both use the thread pool.
  assert.equal(await readFile(join(folder, 'file'), 'utf8'), 'still there');
  assert.ok((await lookup('localhost')).address);
  release();
});

for (const [selection, isAsked] of [
  ['default', false],
  ['full', true],
] as const) {
  it(`a container engine is ${isAsked ? '' : 'not '}queried in profile ${selection}`, {
    timeout: 20_000,
  }, async () => {
    await using place = await tempDir();
    const socket = join(place.path, 'engine.sock');
    const asked: (string | undefined)[] = [];
    const engine = createServer((request, response) => {
      asked.push(request.url);
      response.end('[{"Id":"a"},{"Id":"b"}]');
    });
    await once(engine.listen(socket), 'listening');
    const stop = new AbortController();
    const suite = new SensorSet({ ...ports(), sockets: [socket] });
    const tuning = { ...DEFAULT_TUNING, selection: { profile: selection, on: [], off: [] }, custom: [] };
    const { sensors, run: keep } = suite.open(tuning);
    const keeping = keep(stop.signal);
    const count = async () => (await sensors.sample())['runningContainerCount'];
    if (isAsked) while ((await count()) === undefined) await nextTurn();
    assert.equal(await count(), isAsked ? 2 : undefined);
    // A request of the test uses the same path, after any request of the sensors.
    get({ socketPath: socket, path: '/ours' }, (response) => response.resume());
    while (!asked.includes('/ours')) await nextTurn();
    assert.deepEqual(asked, isAsked ? ['/containers/json', '/ours'] : ['/ours']);
    stop.abort();
    await keeping;
    engine.close();
  });
}

for (const [standing, output] of [
  ['synchronised', true],
  ['step unconfirmed', false],
  ['not synchronised', false],
  ['trusted', undefined],
] as const) {
  it(`a clock that is ${standing} is reported as ${output ?? 'nothing'}`, async () => {
    const suite = new SensorSet(ports());
    const selection = {
      profile: 'minimal',
      on: ['clock'],
      off: ['cpu', 'memory', 'filesystem', 'uptime'],
    } as const;
    const { sensors } = suite.open({ ...DEFAULT_TUNING, selection, custom: [] });
    assert.equal((await sensors.sample())['clockSynchronised'], undefined);
    suite.attach({
      outbox: { size: 0, losses: new LossReport() },
      spoolBytes: () => 0,
      timestamper: { clockState: standing },
    });
    assert.equal((await sensors.sample())['clockSynchronised'], output);
  });
}

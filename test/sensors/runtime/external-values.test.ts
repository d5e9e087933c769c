/** Values of the program: read in each sample, absent while unknown, and read only if they are selected. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import type { AgentMetrics, ExternalValues } from '../../../src/sensors/runtime/external-values.ts';
import { DEFAULT_TUNING } from '../../../src/sensors/runtime/tuning.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { agent } from '../../../src/sensors/system/agent.ts';
import { clock as clockSensor } from '../../../src/sensors/system/clock.ts';
import { containers } from '../../../src/sensors/system/containers.ts';
import { services } from '../../../src/sensors/system/services.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { RecordingSensorLogger } from '../helpers/captured-host.ts';

const FIGURES: AgentMetrics = { rssBytes: 50_000_000, cpuMs: 100, busyMs: 40, uptimeMs: 7000 };
const WITH_COUNTERS: AgentMetrics = {
  ...FIGURES,
  waitingReadings: 3,
  lostReadings: 1,
  deliveredReadings: 12,
  spoolBytes: 131_072,
  roundTripMs: 41.26,
  timerLagMs: 1.34,
  restarts: 2,
};

it('the agent reports its readings, and its cost from the second sample', async () => {
  let figures = WITH_COUNTERS;
  const { sample, clock } = setup({ agent: () => figures });
  const first = await sample();
  assert.deepEqual(first, {
    agentWaitingReadings: 3,
    agentLostReadings: 1,
    agentDelivered: 12,
    agentSpoolBytes: 131_072,
    agentRoundTripMs: 41.3,
    agentLoopDelayMs: 1.3,
    agentRestarts: 2,
    agentRssBytes: 50_000_000,
    agentUptimeS: 7,
  });
  await clock.advance(10_000);
  figures = { ...WITH_COUNTERS, cpuMs: 150, busyMs: 60 };
  const { agentCpuPercent, agentLoopUsePercent } = await sample();
  assert.deepEqual([agentCpuPercent, agentLoopUsePercent], [0.5, 0.2]);
});

it('unknown figures are absent, and all figures without an agent', async () => {
  const { sample } = setup({ agent: () => FIGURES });
  assert.deepEqual(Object.keys(await sample()), ['agentRssBytes', 'agentUptimeS']);
  assert.deepEqual(await setup({}).sample(), {});
});

it('profile default reads no costly figure of the agent', async () => {
  const readFields: string[] = [];
  const figures = new Proxy(WITH_COUNTERS, {
    get(target, name, receiver) {
      readFields.push(String(name));
      return Reflect.get(target, name, receiver);
    },
  });
  const { sample, clock } = setup({ agent: () => figures }, 'default');
  await sample();
  await clock.advance(10_000);
  assert.deepEqual(await sample(), { agentWaitingReadings: 3, agentLostReadings: 1 });
  for (const field of ['rssBytes', 'cpuMs', 'busyMs', 'uptimeMs', 'spoolBytes', 'timerLagMs'])
    assert.equal(readFields.includes(field), false, field);
});

for (const isSynchronised of [true, false]) {
  it(`a clock that is ${isSynchronised ? '' : 'not '}synchronised is reported as such`, async () => {
    const { sample } = setup({ clock: () => ({ isSynchronised }) });
    assert.deepEqual(await sample(), { clockSynchronised: isSynchronised });
  });
}

it('the offset of the clock has a sign and microseconds', async () => {
  const { sample } = setup({ clock: () => ({ offsetMs: -110.0004 }) });
  assert.deepEqual(await sample(), { clockOffsetMs: -110 });
  const { clockOffsetMs } = await setup({ clock: () => ({ offsetMs: 20.442 }) }).sample();
  assert.equal(clockOffsetMs, 20.442);
});

it('an unchecked clock, uncounted units and uncounted containers are absent', async () => {
  assert.deepEqual(await setup({ clock: () => ({}), services: () => ({}) }).sample(), {});
  const { sample } = setup({ services: () => ({ failedUnits: 0, runningContainers: 4 }) });
  assert.deepEqual(await sample(), { failedUnitCount: 0, runningContainerCount: 4 });
});

function setup(
  external: ExternalValues,
  profile: 'default' | 'full' = 'full',
): { readonly clock: VirtualClock; sample(): Promise<Values> } {
  const clock = new VirtualClock();
  const sensors = [agent, clockSensor, services, containers];
  const tuning = { ...DEFAULT_TUNING, selection: { profile, on: [], off: [] } };
  const sampler = openSampler(sensors, openHostFiles('/'), clock, new RecordingSensorLogger(), tuning, {
    external,
  });
  return { clock, sample: () => sampler.sample() };
}

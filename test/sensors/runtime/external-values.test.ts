/** What no file of the host says: asked of the program each time, absent while it does not know, and never more than is wanted. */

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

it('the agent tells what became of its readings, and its cost once there is a sample before', async () => {
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

it('what the agent does not know yet is absent, and so is all of an agent that is none', async () => {
  const { sample } = setup({ agent: () => FIGURES });
  assert.deepEqual(Object.keys(await sample()), ['agentRssBytes', 'agentUptimeS']);
  assert.deepEqual(await setup({}).sample(), {});
});

it('profile default asks the kernel nothing about the agent', async () => {
  const queryCount: string[] = [];
  const figures = new Proxy(WITH_COUNTERS, {
    get(target, name, receiver) {
      queryCount.push(String(name));
      return Reflect.get(target, name, receiver);
    },
  });
  const { sample, clock } = setup({ agent: () => figures }, 'default');
  await sample();
  await clock.advance(10_000);
  assert.deepEqual(await sample(), { agentWaitingReadings: 3, agentLostReadings: 1 });
  for (const costlyKeys of ['rssBytes', 'cpuMs', 'busyMs', 'uptimeMs', 'spoolBytes', 'timerLatenessMs'])
    assert.equal(queryCount.includes(costlyKeys), false, costlyKeys);
});

for (const isSynchronised of [true, false]) {
  it(`a clock of which it is known that it is ${isSynchronised ? '' : 'not '}right is told`, async () => {
    const { sample } = setup({ clock: () => ({ isSynchronised }) });
    assert.deepEqual(await sample(), { clockSynchronised: isSynchronised });
  });
}

it('how far the clock is off is told to the microsecond, with its direction', async () => {
  const { sample } = setup({ clock: () => ({ offsetMs: -110.0004 }) });
  assert.deepEqual(await sample(), { clockOffsetMs: -110 });
  const { clockOffsetMs } = await setup({ clock: () => ({ offsetMs: 20.442 }) }).sample();
  assert.equal(clockOffsetMs, 20.442);
});

it('a clock that nobody asks about, units and containers that nobody counts are absent', async () => {
  assert.deepEqual(await setup({ clock: () => ({}), services: () => ({}) }).sample(), {});
  const { sample } = setup({ services: () => ({ failedUnits: 0, runningContainers: 4 }) });
  assert.deepEqual(await sample(), { failedUnitCount: 0, runningContainerCount: 4 });
});

function setup(
  told: ExternalValues,
  profile: 'default' | 'full' = 'full',
): { readonly clock: VirtualClock; sample(): Promise<Values> } {
  const clock = new VirtualClock();
  const sensors = [agent, clockSensor, services, containers];
  const tuning = { ...DEFAULT_TUNING, selection: { profile, on: [], off: [] } };
  const sampler = openSampler(sensors, openHostFiles('/'), clock, new RecordingSensorLogger(), tuning, {
    external: told,
  });
  return { clock, sample: () => sampler.sample() };
}

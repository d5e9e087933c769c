/**
 * The number of keys a typical gateway reports in each profile: each key costs an entry in the key dictionary
 * of its server.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PROFILES } from '../../src/core/model/sensor-selection.ts';
import { collectors } from '../../src/sensors/catalogue.ts';
import { openHostFiles } from '../../src/sensors/files/host-files.ts';
import { DEFAULT_TUNING } from '../../src/sensors/runtime/tuning.ts';
import { openSampler, openSensors } from '../../src/sensors/sampler.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { copyHost, RecordingSensorLogger } from './helpers/captured-host.ts';

const external = {
  agent: () => ({ rssBytes: 5e7, cpuMs: 10, busyMs: 5, uptimeMs: 1e6, waitingReadings: 0, lostReadings: 0 }),
  services: () => ({ failedUnits: 0, runningContainers: 2 }),
  clock: () => ({ isSynchronised: true }),
};

for (const [profile, keysMax] of [
  ['minimal', 6],
  ['default', 25],
] as const) {
  it(`a Raspberry Pi 4 reports at most ${keysMax} keys in profile ${profile}`, async (t) => {
    const clock = new VirtualClock();
    const selection = { profile, on: [], off: [] };
    const sensors = openSensors({
      root: copyHost('raspberry-pi-4', t),
      clock,
      log: new RecordingSensorLogger(),
      tuning: { ...DEFAULT_TUNING, selection },
      external,
    });
    await sensors.sample();
    await clock.advance(10_000);
    const keys = Object.keys(await sensors.sample());
    assert.ok(keys.length <= keysMax && keys.length >= keysMax - 3, `${keys.length}: ${keys.join(' ')}`);
  });
}

for (const profile of PROFILES) {
  const isRead = profile === 'full';
  it(`profile ${profile} ${isRead ? 'reads' : 'does not read'} get_throttled`, async (t) => {
    const clock = new VirtualClock();
    const read: string[] = [];
    const real = openHostFiles(copyHost('raspberry-pi-4', t));
    const hostFiles = {
      ...real,
      read: (path: string) => {
        read.push(path);
        return real.read(path);
      },
    };
    const tuning = { ...DEFAULT_TUNING, selection: { profile, on: [], off: [] } };
    await openSampler(collectors, hostFiles, clock, new RecordingSensorLogger(), tuning).sample();
    assert.equal(
      read.some((path) => path.endsWith('get_throttled')),
      isRead,
    );
  });
}

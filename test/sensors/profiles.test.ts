/** How much a plain gateway reports in each profile: a key costs its server a dictionary entry, and its operator attention. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openSensors } from '../../src/sensors/sampler.ts';
import { UNTUNED } from '../../src/sensors/tuning.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { copyOf, JournalDouble } from './captured-host.ts';

const told = {
  agent: () => ({ rssBytes: 5e7, cpuMs: 10, busyMs: 5, uptimeMs: 1e6, waitingReadings: 0, lostReadings: 0 }),
  services: () => ({ failedUnits: 0 }),
};

for (const [profile, keysMax] of [
  ['minimal', 6],
  ['default', 25],
] as const) {
  it(`a Raspberry Pi with cable and Wi-Fi reports at most ${keysMax} keys in profile ${profile}`, async (t) => {
    const clock = new VirtualClock();
    const selection = { profile, on: [], off: [] };
    const sensors = openSensors({
      root: copyOf('raspberry-pi-4', t),
      clock,
      log: new JournalDouble(),
      tuning: { ...UNTUNED, selection },
      told,
    });
    await sensors.sample();
    await clock.advance(10_000);
    const keys = Object.keys(await sensors.sample());
    assert.ok(keys.length <= keysMax && keys.length >= keysMax - 3, `${keys.length}: ${keys.join(' ')}`);
  });
}

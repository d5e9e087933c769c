/** CPU frequency and throttling: an offline CPU does not affect the others. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { frequency } from '../../../src/sensors/cpu/frequency.ts';
import { type HostFiles, openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { CapturedHost, RecordingSensorLogger } from '../helpers/captured-host.ts';
import { addDevice } from '../helpers/renumber-devices.ts';

it('an offline CPU has no frequency and does not affect the others', async () => {
  const hostFiles: HostFiles = {
    ...openHostFiles('/nowhere'),
    list: () => ['policy0', 'policy4'],
    read: (path) => {
      if (path.includes('policy0')) return '1500000\n';
      throw Object.assign(new Error('EBUSY: resource busy or locked, read'), { code: 'EBUSY' });
    },
  };
  const logger = new RecordingSensorLogger();
  const sampler = openSampler([frequency], hostFiles, new VirtualClock(), logger);
  assert.deepEqual(await sampler.sample(), { cpu0FrequencyMHz: 1500 });
  assert.deepEqual(logger.lines, []);
});

it('an offline CPU does not count for throttling', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const folder = (cpu: number) => `sys/devices/system/cpu/cpu${cpu}/thermal_throttle`;
  for (const cpu of [0, 1]) addDevice(host, folder(cpu), { core_throttle_count: `${5 - cpu}` });
  assert.equal((await host.sampleAfter(0))['cpuThrottleCount'], 5);
  host.remove(folder(0));
  assert.equal((await host.sampleAfter(60_000))['cpuThrottleCount'], 4);
  assert.deepEqual(host.logger.lines, []);
});

it('a group of CPUs that cannot be read does not affect the others', async () => {
  const hostFiles: HostFiles = {
    ...openHostFiles('/nowhere'),
    list: () => ['policy0', 'policy4'],
    read: (path) => {
      if (path.includes('policy4')) return '1500000\n';
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    },
  };
  const logger = new RecordingSensorLogger();
  const sampler = openSampler([frequency], hostFiles, new VirtualClock(), logger);
  assert.deepEqual(await sampler.sample(), { cpu4FrequencyMHz: 1500 });
  assert.deepEqual(logger.lines, ['warn frequency']);
});

it('a number of throttling events that is lower for one sample is left out', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const file = 'sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count';
  addDevice(host, 'sys/devices/system/cpu/cpu0/thermal_throttle', { core_throttle_count: '5' });
  const seen: unknown[] = [];
  for (const count of ['5', '0', '5', '6']) {
    host.write(file, `${count}\n`);
    seen.push((await host.sampleAfter(60_000))['cpuThrottleCount']);
  }
  assert.deepEqual(seen, [5, undefined, 5, 6]);
});

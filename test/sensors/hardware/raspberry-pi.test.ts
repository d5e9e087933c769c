/** The conditions that the firmware of a Raspberry Pi reports through its driver. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { raspberryPi as collector } from '../../../src/sensors/hardware/raspberry-pi.ts';
import { DEFAULT_TUNING } from '../../../src/sensors/runtime/tuning.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { CapturedHost } from '../helpers/captured-host.ts';
import { renumber, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const BITS = 'sys/bus/platform/drivers/raspberrypi-firmware/soc:firmware/get_throttled';
const ALARM = 'sys/class/hwmon/hwmon1/in0_lcrit_alarm';

const CALM = {
  piFrequencyCapped: false,
  piFrequencyCappedOccurred: false,
  piSoftTemperatureLimit: false,
  piSoftTemperatureLimitOccurred: false,
  piThrottled: false,
  piThrottledOccurred: false,
  piUnderVoltage: false,
  piUnderVoltageOccurred: false,
};

it('a healthy Raspberry Pi reports no condition, whatever the chip number', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'pi'), CALM);
  renumber(pi, 'sys/class/hwmon', 'hwmon');
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(300_000), 'pi'), CALM);
});

for (const [bits, alarm, changed] of [
  ['1', '1', { piUnderVoltage: true, piUnderVoltageOccurred: true }],
  ['10000', '1', { piUnderVoltage: true, piUnderVoltageOccurred: true }],
  ['2', '0', { piFrequencyCapped: true, piFrequencyCappedOccurred: true }],
  ['4', '0', { piThrottled: true, piThrottledOccurred: true }],
  ['8', '0', { piSoftTemperatureLimit: true, piSoftTemperatureLimitOccurred: true }],
  ['40000', '0', { piThrottledOccurred: true }],
  [
    'e0000',
    '0',
    { piFrequencyCappedOccurred: true, piThrottledOccurred: true, piSoftTemperatureLimitOccurred: true },
  ],
] as const) {
  it(`get_throttled ${bits}, alarm ${alarm} sets ${Object.keys(changed).join(', ')}`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.write(BITS, `${bits}\n`);
    pi.write(ALARM, `${alarm}\n`);
    assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'pi'), { ...CALM, ...changed });
  });
}

it('a condition stays marked as occurred after the firmware has cleared it', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.write(BITS, '50005\n');
  pi.write(ALARM, '1\n');
  await pi.sampleAfter(0);
  pi.write(BITS, '0\n');
  pi.write(ALARM, '0\n');
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(10_000), 'pi'), {
    ...CALM,
    piUnderVoltageOccurred: true,
    piThrottledOccurred: true,
  });
});

it('under-voltage is reported without get_throttled', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.remove('sys/bus/platform/drivers');
  pi.write(ALARM, '1\n');
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'pi'), {
    piUnderVoltage: true,
    piUnderVoltageOccurred: true,
  });
});

it('no condition is reported without the driver that polls the firmware', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.remove('sys/class/hwmon/hwmon1');
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'pi'), {});
  assert.deepEqual(pi.logger.lines, []);
});

it('get_throttled is not read if a kernel warning would cause a panic', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.write('proc/sys/kernel/panic_on_warn', '1\n');
  assert.deepEqual(Object.keys(valuesWithPrefix(await pi.sampleAfter(0), 'pi')), [
    'piUnderVoltage',
    'piUnderVoltageOccurred',
  ]);
});

it('get_throttled is not read if only under-voltage is selected', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const read: string[] = [];
  const real = openHostFiles(pi.root);
  const hostFiles = {
    ...real,
    read: (path: string) => {
      read.push(path);
      return real.read(path);
    },
  };
  const tuning = {
    ...DEFAULT_TUNING,
    selection: { profile: 'minimal', on: ['piUnderVoltage'], off: [] },
  } as const;
  const values = await openSampler([collector], hostFiles, pi.clock, pi.logger, tuning).sample();
  assert.deepEqual(values, { piUnderVoltage: false });
  assert.equal(
    read.some((path) => path.endsWith('get_throttled')),
    false,
  );
});

for (const [file, text] of [
  [BITS, '0x50005'],
  [BITS, 'throttled=0x0'],
  [ALARM, '2'],
] as const) {
  it(`${file.slice(file.lastIndexOf('/') + 1)} ${text} is invalid`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.write(file, `${text}\n`);
    assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'pi'), {});
    assert.deepEqual(pi.logger.lines, ['warn pi']);
  });
}

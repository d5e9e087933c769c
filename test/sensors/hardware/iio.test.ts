/** Industrial I/O: (raw + offset) × scale, conversion of units, stable names. */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { iio } from '../../../src/sensors/hardware/iio.ts';
import { openSampler } from '../../../src/sensors/sampler.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { CapturedHost, copyHost, RecordingSensorLogger } from '../helpers/captured-host.ts';
import { type Answer, fails, faultyFiles } from '../helpers/faulty-files.ts';
import { addDevice, renumber, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const I2C = 'sys/devices/platform/soc/fe804000.i2c/i2c-1';

it('a BME280 reports degrees, per cent and hectopascals', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'iio'), {
    iioBme280HumidityPercent: 48.3,
    iioBme280PressureHpa: 1008.62,
    iioBme280TemperatureC: 21.84,
  });
  assert.deepEqual(pi.logger.lines, []);
});

it('raw numbers use the offset and scale of the channel or of its type', async (t) => {
  const board = new CapturedHost('emmc-board', t);
  assert.deepEqual(valuesWithPrefix(await board.sampleAfter(0), 'iio'), {
    iioFe720000SaradcTankLevelV: 1.1997,
    iioFe720000SaradcVoltage0V: 1.7978,
    iioHts221HumidityPercent: 50.3,
    iioHts221TemperatureC: -7.47,
  });
});

it('devices numbered in another order keep their keys and values', async (t) => {
  const before = valuesWithPrefix(await new CapturedHost('emmc-board', t).sampleAfter(0), 'iio');
  const rebooted = new CapturedHost('emmc-board', t);
  renumber(rebooted, 'sys/bus/iio/devices', 'iio:device');
  assert.deepEqual(valuesWithPrefix(await rebooted.sampleAfter(0), 'iio'), before);
});

/** Files of one device and its expected values; nothing is logged. */
const DEVICES = {
  'a light sensor': {
    files: { name: 'bh1750', in_illuminance_raw: '1250', in_illuminance_scale: '0.833333' },
    expected: { iioBh1750IlluminanceLx: 1041.67 },
  },
  'a number without a scale': {
    files: { name: 'adc', in_voltage0_raw: '1250', in_temp_raw: '21', in_temp_offset: '3' },
    expected: {},
  },
  'a channel that has both forms': {
    files: { name: 'both', in_temp_raw: '1', in_temp_scale: '1', in_temp_input: '-40500' },
    expected: { iioBothTemperatureC: -40.5 },
  },
  'a scale of its own before that of the type': {
    files: {
      name: 'ads1015',
      in_voltage0_raw: '1000',
      in_voltage0_scale: '2',
      in_voltage1_raw: '-1000',
      in_voltage_scale: '3',
    },
    expected: { iioAds1015Voltage0V: 2, iioAds1015Voltage1V: -3 },
  },
  'a difference of two pins': {
    files: { name: 'ads1015', 'in_voltage0-voltage1_raw': '-500', 'in_voltage-voltage_scale': '0.5' },
    expected: { iioAds1015Voltage0Voltage1V: -0.25 },
  },
  'an infrared thermometer with two temperatures': {
    files: {
      name: 'mlx90614',
      in_temp_ambient_raw: '14800',
      in_temp_object_raw: '15200',
      in_temp_offset: '-13657.500000',
      in_temp_scale: '20',
    },
    expected: { iioMlx90614AmbientTemperatureC: 22.85, iioMlx90614ObjectTemperatureC: 30.85 },
  },
  'channels that have several words': {
    files: { name: 'pmic', in_temp_xo_therm_100k_input: '31500', in_voltage_vph_pwr_input: '3800' },
    expected: { iioPmicVoltageVphPwrV: 3.8, iioPmicTemperatureC: 31.5 },
  },
  'a current in milliamperes': {
    files: { name: 'meter', in_current3_raw: '250', in_current3_scale: '0.1' },
    expected: { iioMeterCurrent3A: 0.025 },
  },
  'two channels of one label': {
    files: {
      name: 'adc',
      in_voltage_scale: '1',
      in_voltage0_raw: '1000',
      in_voltage0_label: 'tank',
      in_voltage1_raw: '2000',
      in_voltage1_label: 'Tank',
    },
    expected: { iioAdcVoltage0V: 1, iioAdcVoltage1V: 2 },
  },
  'a label of the device tree': {
    files: { name: 'bme280', label: 'cold store', in_temp_input: '-18000' },
    expected: { iioColdStoreTemperatureC: -18 },
  },
  'a quantity without a key': {
    files: {
      name: 'gyro',
      in_anglvel_x_raw: '1',
      in_anglvel_scale: '1',
      in_accel_x_raw: '2',
      in_accel_scale: '1',
    },
    expected: {},
  },
} as const;

for (const [what, { files, expected }] of Object.entries(DEVICES)) {
  it(`${what} is reported as ${Object.keys(expected).join(', ') || 'no key'}`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    addDevice(pi, `${I2C}/1-0040/iio:device0`, files, 'sys/bus/iio/devices/iio:device0');
    assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'iio'), expected);
    assert.deepEqual(pi.logger.lines, []);
  });
}

it('two sensors of one name are named by their bus addresses', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  const second = 'sys/devices/platform/soc/3f804000.i2c/i2c-1/1-0077/iio:device1';
  addDevice(pi, second, { name: 'bme280', in_temp_input: '5000' }, 'sys/bus/iio/devices/iio:device1');
  const expected = {
    iioBme280At3f804000I2c0076HumidityPercent: 48.3,
    iioBme280At3f804000I2c0076PressureHpa: 1008.62,
    iioBme280At3f804000I2c0076TemperatureC: 21.84,
    iioBme280At3f804000I2c0077TemperatureC: 5,
  };
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'iio'), expected);
  renumber(pi, 'sys/bus/iio/devices', 'iio:device');
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(300_000), 'iio'), expected);
});

it('an invalid channel affects no other channel', async (t) => {
  const board = new CapturedHost('emmc-board', t);
  board.write('sys/bus/iio/devices/iio:device1/in_humidityrelative_raw', 'nan\n');
  assert.deepEqual(Object.keys(valuesWithPrefix(await board.sampleAfter(0), 'iio')), [
    'iioFe720000SaradcTankLevelV',
    'iioFe720000SaradcVoltage0V',
    'iioHts221TemperatureC',
  ]);
  assert.deepEqual(board.logger.lines, ['warn iio']);
});

it('an impossible humidity is left out', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  pi.write('sys/bus/iio/devices/iio:device0/in_humidityrelative_input', '101000\n');
  assert.deepEqual(Object.keys(valuesWithPrefix(await pi.sampleAfter(0), 'iio')), [
    'iioBme280PressureHpa',
    'iioBme280TemperatureC',
  ]);
  assert.deepEqual(pi.logger.lines, ['warn iio']);
});

/** Almost an hour, the time a read takes included. */
const ROUNDS = 350;

/** A DHT11: 3 of 10 reads end in EIO after 25 ms, 1 of 10 in ETIMEDOUT after a second. */
it('a sensor that fails every few reads has most of its values and few lines', async (t) => {
  const root = copyHost('x86-vm', t);
  const device = 'sys/bus/iio/devices/iio:device0';
  mkdirSync(join(root, device), { recursive: true });
  for (const [file, text] of Object.entries({ name: 'dht11', in_temp_input: '21000' }))
    writeFileSync(join(root, device, file), `${text}\n`);
  const clock = new VirtualClock();
  const log = new RecordingSensorLogger();
  const random = createRandom(24);
  const answers = new Map<string, Answer>([
    [
      `${device}/in_temp_input`,
      async () => {
        const drawn = random();
        await clock.advance(drawn < 0.1 ? 1000 : 25);
        if (drawn < 0.1) fails('ETIMEDOUT');
        return drawn < 0.4 ? fails('EIO') : '21000\n';
      },
    ],
  ]);
  const { hostFiles, searches } = faultyFiles(openHostFiles(root), answers);
  const sampler = openSampler([iio], hostFiles, clock, log);
  const present: boolean[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    present.push('iioDht11TemperatureC' in (await sampler.sample()));
    await clock.advance(10_000);
  }
  assert.ok(present.filter(Boolean).length > 0.5 * ROUNDS, `${present.filter(Boolean).length} values`);
  const row = present.map((is) => (is ? '.' : 'x')).join('');
  assert.doesNotMatch(row, /x{13}/, 'no gap of more than two minutes');
  assert.ok(log.lines.length <= 6, `${log.lines.length} lines in an hour`);
  assert.ok(searches() <= 40, `${searches()} directories listed in an hour`);
});

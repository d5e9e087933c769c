/** Values at the ends of a register's range: what a chip without a measurement answers is no reading. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const NVME = 'sys/devices/pci0000:00/0000:00:1d.0/0000:06:00.0/nvme/nvme7/hwmon77';

it('a drive that answers 0 K has no temperature, and nothing is logged', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const files = {
    name: 'nvme',
    temp1_label: 'Composite',
    temp1_input: '-273150',
    temp2_label: 'Sensor 1',
    temp2_input: '-216150',
    temp3_label: 'Sensor 2',
    temp3_input: '45850',
  };
  addDevice(host, NVME, files, 'sys/class/hwmon/hwmon77');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), { hwmonNvmeSensor2C: 45.85 });
  assert.deepEqual(host.logger.lines, []);
});

it('the thresholds of a drive are no readings', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const files = { name: 'nvme', temp2_max: '65261850', temp2_min: '-273150', temp2_input: '45850' };
  addDevice(host, NVME, files, 'sys/class/hwmon/hwmon77');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), { hwmonNvmeTemp2C: 45.85 });
  host.write(`${NVME}/temp2_input`, '65261850\n');
  host.write(`${NVME}/temp1_input`, '40850\n');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(300_000), 'hwmon'), { hwmonNvmeTemp1C: 40.85 });
  assert.deepEqual(host.logger.lines, []);
});

it('unwired inputs of a board chip are absent, and their neighbours stay', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const files = {
    name: 'it8728',
    fan1_input: '65535',
    fan2_input: '1243',
    temp1_input: '31500',
    temp2_input: '127000',
    temp3_input: '-128000',
    temp4_input: '128000',
    temp5_input: '-127000',
    temp6_input: '126500',
  };
  addDevice(host, 'sys/devices/platform/it87.2608/hwmon/hwmon3', files, 'sys/class/hwmon/hwmon3');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), {
    hwmonIt8728Fan2Rpm: 1243,
    hwmonIt8728Temp1C: 31.5,
    hwmonIt8728Temp6C: 126.5,
  });
  assert.deepEqual(host.logger.lines, []);
});

it('a nonsense fan speed is absent and logged', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const files = { name: 'board', fan1_input: '-1', fan2_input: '900' };
  addDevice(host, 'sys/devices/platform/board/hwmon/hwmon3', files, 'sys/class/hwmon/hwmon3');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), { hwmonBoardFan2Rpm: 900 });
  assert.deepEqual(host.logger.lines, ['warn hwmon']);
});

it('the ends of a register are no readings of other sensors either', async (t) => {
  const host = new CapturedHost('emmc-board', t);
  addDevice(host, 'sys/class/thermal/thermal_zone7', { type: 'acpitz', temp: '-273200' });
  addDevice(host, 'sys/class/thermal/thermal_zone8', { type: 'wlan', temp: '-128000' });
  addDevice(host, 'sys/class/thermal/thermal_zone9', { type: 'modem', temp: '40000' });
  const adc = { name: 'adc', in_temp0_raw: '0', in_temp0_offset: '-273150', in_temp0_scale: '1' };
  addDevice(host, 'sys/bus/iio/devices/iio:device8', { ...adc, in_temp1_input: '127000' });
  addDevice(host, 'sys/class/power_supply/gauge', { temp: '-2731', voltage_now: '12000000' });
  const values = await host.sampleAfter(0);
  assert.deepEqual(Object.keys(valuesWithPrefix(values, 'thermal')), ['thermalGpuThermalC', 'thermalModemC']);
  assert.deepEqual(valuesWithPrefix(values, 'iioAdc'), { iioAdc1TemperatureC: 127 }, 'a thermocouple can');
  assert.deepEqual(valuesWithPrefix(values, 'supplyGauge'), { supplyGaugeVoltageV: 12 });
  assert.deepEqual(host.logger.lines, []);
});

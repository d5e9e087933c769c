/** Thermal zones other than the CPU's, by type. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, renumber, valuesWithPrefix } from '../helpers/renumber-devices.ts';

it('zones have the names of their types, without that of the CPU', async (t) => {
  const board = new CapturedHost('emmc-board', t);
  const values = await board.sampleAfter(0);
  assert.equal(values['cpuTemperatureC'], 47.5);
  assert.deepEqual(valuesWithPrefix(values, 'thermal'), { thermalGpuThermalC: 46.9 });
});

it('two zones of one type are told apart by the devices they belong to, whatever their numbers', async (t) => {
  const expected = { thermalAcpitzAtLnxtherm00C: 38, thermalAcpitzAtLnxtherm01C: 45.5 };
  const host = new CapturedHost('x86-gateway', t);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'thermal'), expected);
  const rebooted = new CapturedHost('x86-gateway', t);
  renumber(rebooted, 'sys/class/thermal', 'thermal_zone');
  const values = await rebooted.sampleAfter(0);
  assert.deepEqual(valuesWithPrefix(values, 'thermal'), expected);
  assert.equal(values['cpuTemperatureC'], 52);
});

it('a second package, which has nothing of its own, is not reported', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  for (const number of [0, 1, 2]) {
    const files = { type: 'x86_pkg_temp', temp: `${number}1000` };
    addDevice(host, `sys/class/thermal/thermal_zone${number}`, files);
  }
  const values = await host.sampleAfter(0);
  assert.equal(values['cpuTemperatureC'], 1);
  assert.deepEqual(valuesWithPrefix(values, 'thermal'), {});
});

it('a zone below zero is below zero, and one that says what cannot be costs no other', async (t) => {
  const host = new CapturedHost('emmc-board', t);
  addDevice(host, 'sys/class/thermal/thermal_zone7', { type: 'wlan', temp: '-12500' });
  host.write('sys/class/thermal/thermal_zone1/temp', 'N/A\n');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'thermal'), { thermalWlanC: -12.5 });
  assert.deepEqual(host.logger.lines, ['warn thermal']);
});

/** Thermal zones other than the CPU, by type. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, renumber, valuesWithPrefix } from '../helpers/renumber-devices.ts';

it('thermal zones are named by type, and the zone of the CPU is left out', async (t) => {
  const board = new CapturedHost('emmc-board', t);
  const values = await board.sampleAfter(0);
  assert.equal(values['cpuTemperatureC'], 47.5);
  assert.deepEqual(valuesWithPrefix(values, 'thermal'), { thermalGpuThermalC: 46.9 });
});

it('two zones of one type are named by their device, not by their number', async (t) => {
  const expected = { thermalAcpitzAtLnxtherm00C: 38, thermalAcpitzAtLnxtherm01C: 45.5 };
  const host = new CapturedHost('x86-gateway', t);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'thermal'), expected);
  const rebooted = new CapturedHost('x86-gateway', t);
  renumber(rebooted, 'sys/class/thermal', 'thermal_zone');
  const values = await rebooted.sampleAfter(0);
  assert.deepEqual(valuesWithPrefix(values, 'thermal'), expected);
  assert.equal(values['cpuTemperatureC'], 52);
});

it('a zone of a second CPU package without a device is not reported', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  for (const number of [0, 1, 2]) {
    const files = { type: 'x86_pkg_temp', temp: `${number}1000` };
    addDevice(host, `sys/class/thermal/thermal_zone${number}`, files);
  }
  const values = await host.sampleAfter(0);
  assert.equal(values['cpuTemperatureC'], 1);
  assert.deepEqual(valuesWithPrefix(values, 'thermal'), {});
});

it('an invalid zone does not affect another one, which may be below zero', async (t) => {
  const host = new CapturedHost('emmc-board', t);
  addDevice(host, 'sys/class/thermal/thermal_zone7', { type: 'wlan', temp: '-12500' });
  host.write('sys/class/thermal/thermal_zone1/temp', 'N/A\n');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'thermal'), { thermalWlanC: -12.5 });
  assert.deepEqual(host.logger.lines, ['warn thermal']);
});

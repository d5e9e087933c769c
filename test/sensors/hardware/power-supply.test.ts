/** Power supplies, and the battery of the real-time clock. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const BATTERY = 'sys/class/power_supply/BAT0';

it('a battery and the mains are reported, the battery of a mouse is not', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'supply'), {
    supplyAcOnline: false,
    supplyBat0CapacityPercent: 87,
    supplyBat0ChargeAh: 3.65,
    supplyBat0CurrentA: 1.062,
    supplyBat0Status: 'Discharging',
    supplyBat0VoltageV: 12.284,
  });
  assert.deepEqual(host.logger.lines, []);
});

it('a fuel gauge is converted from tenths of degrees and micro-units', async (t) => {
  const board = new CapturedHost('emmc-board', t);
  addDevice(board, 'sys/class/power_supply/ups', {
    energy_now: '7500000',
    power_now: '2500000',
    online: '2',
    temp: '-55',
  });
  assert.deepEqual(valuesWithPrefix(await board.sampleAfter(0), 'supply'), {
    supplyBq274410CapacityPercent: 96,
    supplyBq274410ChargeAh: 1.87,
    supplyBq274410CurrentA: -0.212,
    supplyBq274410Health: 'Good',
    supplyBq274410Status: 'Not charging',
    supplyBq274410TemperatureC: 28.1,
    supplyBq274410VoltageV: 4.101,
    supplyUpsEnergyWh: 7.5,
    supplyUpsOnline: true,
    supplyUpsPowerW: 2.5,
    supplyUpsTemperatureC: -5.5,
  });
});

it('an unknown state is absent; an invalid value is logged and affects no other', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  host.write(`${BATTERY}/status`, 'Unknown\n');
  const values = await host.sampleAfter(0);
  assert.equal('supplyBat0Status' in values, false);
  assert.equal(values['supplyBat0CapacityPercent'], 87);
  assert.deepEqual(host.logger.lines, []);
  host.write(`${BATTERY}/capacity`, '87 %\n');
  const { supplyBat0CapacityPercent: capacity, ...others } = valuesWithPrefix(values, 'supply');
  assert.equal(capacity, 87);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'supply'), others);
  assert.deepEqual(host.logger.lines, ['warn supply']);
  host.write(`${BATTERY}/capacity`, '-1\n');
  assert.equal('supplyBat0CapacityPercent' in (await host.sampleAfter(1000)), false);
});

it('a removed battery is absent, and the mains stay', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  await host.sampleAfter(0);
  host.remove(BATTERY);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'supply'), { supplyAcOnline: false });
  assert.deepEqual(host.logger.lines, []);
});

it('the clock battery is reported if a driver has its voltage', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'rtc'), {});
  const path = 'sys/devices/platform/soc@107c000000/soc@107c000000:rpi_rtc/rtc/rtc1';
  const files = {
    name: 'rpi-rtc',
    battery_voltage: '2998000',
    charging_voltage: '0',
    charging_voltage_max: '4400000',
  };
  addDevice(host, path, files, 'sys/class/rtc/rtc1');
  const cell = { rtcBatteryVoltageV: 2.998, rtcChargingVoltageV: 0 };
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(300_000), 'rtc'), cell);
  host.write(`${path}/battery_voltage`, '-1\n');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'rtc'), { rtcChargingVoltageV: 0 });
  assert.deepEqual(host.logger.lines, ['warn rtc']);
});

it('a full battery whose gauge shows more than 100 % is at 100 %', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  const levels: unknown[] = [];
  for (const capacity of ['100', '103', '110', '111', '255', '99']) {
    host.write(`${BATTERY}/capacity`, `${capacity}\n`);
    levels.push((await host.sampleAfter(1000))['supplyBat0CapacityPercent']);
  }
  assert.deepEqual(levels, [100, 100, 100, undefined, undefined, 99]);
  assert.deepEqual(host.logger.lines, ['warn supply', 'info supply'], 'nonsense is logged once');
});

/** hwmon: reported chips, units and names, and the effect of a broken or removed chip. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, renumber, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const I2C = 'sys/devices/pci0000:00/0000:00:15.0/i2c_designware.0/i2c-6';

it('a gateway reports its chips by name and label, in the units of the keys', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), {
    hwmonCoretempCore0C: 51,
    hwmonCoretempCore1C: 50,
    hwmonCoretempCore2C: 52,
    hwmonCoretempCore3C: 49,
    hwmonIna219Curr1A: 1.114,
    hwmonIna219In0V: 0.011,
    hwmonIna219In1V: 23.88,
    hwmonIna219Power1W: 26.6,
    hwmonLm75AtI2cDesignware00048Temp1C: 22.125,
    hwmonLm75AtI2cDesignware00049Temp1C: 24.5,
    hwmonNct6798CputinC: 41.5,
    hwmonNct6798Fan1Rpm: 0,
    hwmonNct6798Fan2Rpm: 1243,
    hwmonNct6798In0V: 0.864,
    hwmonNct6798In1V: 1.008,
    hwmonNct6798In2V: 3.392,
    hwmonNct6798In3V: 3.328,
    hwmonNct6798PeciAgent0C: 52,
    hwmonNct6798SystinC: 35,
    hwmonNvmeAt000004000CompositeC: 40.85,
    hwmonNvmeAt000004000Sensor1C: 42.85,
    hwmonNvmeAt000005000CompositeC: 36.85,
  });
  assert.deepEqual(host.logger.lines, []);
});

it('chips numbered in another order keep their keys and values', async (t) => {
  const before = valuesWithPrefix(await new CapturedHost('x86-gateway', t).sampleAfter(0), 'hwmon');
  const rebooted = new CapturedHost('x86-gateway', t);
  renumber(rebooted, 'sys/class/hwmon', 'hwmon');
  assert.deepEqual(valuesWithPrefix(await rebooted.sampleAfter(0), 'hwmon'), before);
});

it('a new number of an I2C bus does not rename the chips on it', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  host.remove('sys/class/hwmon/hwmon6');
  host.remove('sys/class/hwmon/hwmon7');
  const elsewhere = I2C.replace('i2c-6', 'i2c-3');
  addDevice(
    host,
    `${elsewhere}/3-0048/hwmon/hwmon6`,
    { name: 'lm75', temp1_input: '1000' },
    'sys/class/hwmon/hwmon6',
  );
  addDevice(
    host,
    `${elsewhere}/3-0049/hwmon/hwmon7`,
    { name: 'lm75', temp1_input: '2000' },
    'sys/class/hwmon/hwmon7',
  );
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmonLm75'), {
    hwmonLm75AtI2cDesignware00048Temp1C: 1,
    hwmonLm75AtI2cDesignware00049Temp1C: 2,
  });
});

it('identical chips behind a multiplexer are named by its channels', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  const bus = 'sys/devices/platform/soc/fe804000.i2c/i2c-1';
  for (const channel of [10, 11]) {
    const path = `${bus}/i2c-${channel}/${channel}-0044/hwmon/hwmon${channel}`;
    addDevice(
      host,
      path,
      { name: 'sht3x', temp1_input: `${channel}000`, humidity1_input: '50000' },
      `sys/class/hwmon/hwmon${channel}`,
    );
  }
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), {
    hwmonSht3xAtFe804000I2c100044HumidityPercent: 50,
    hwmonSht3xAtFe804000I2c100044TemperatureC: 10,
    hwmonSht3xAtFe804000I2c110044HumidityPercent: 50,
    hwmonSht3xAtFe804000I2c110044TemperatureC: 11,
  });
});

it('two chips without a stable difference are not reported', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  for (const number of [5, 6]) {
    const path = `sys/devices/virtual/hwmon/hwmon${number}`;
    addDevice(host, path, { name: 'twin', temp1_input: '20000' }, `sys/class/hwmon/hwmon${number}`);
  }
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), {});
});

it('channels of other collectors are not reported again', async (t) => {
  const pi = await new CapturedHost('raspberry-pi-zero-2w', t).sampleAfter(0);
  assert.deepEqual(valuesWithPrefix(pi, 'hwmon'), {}, 'CPU, firmware, 1-Wire thermometer');
  assert.equal(pi['cpuTemperatureC'], 41.9);
  const board = await new CapturedHost('emmc-board', t).sampleAfter(0);
  assert.deepEqual(Object.keys(valuesWithPrefix(board, 'hwmon')), [
    'hwmonPwmfanFan1Rpm',
    'hwmonSht3xHumidityPercent',
    'hwmonSht3xTemperatureC',
  ]);
});

it('IIO channels that appear as a hwmon chip are left to the iio sensor', async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  const path = 'sys/devices/platform/adc-as-hwmon/hwmon/hwmon5';
  addDevice(host, path, { name: 'adc_as_hwmon', in1_input: '1200' }, 'sys/class/hwmon/hwmon5');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), { hwmonAdcAsHwmonIn1V: 1.2 });
  addDevice(host, `${path}/device`, {});
  addDevice(host, 'sys/bus/platform/drivers/iio_hwmon', {}, `${path}/device/driver`);
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(300_000), 'hwmon'), {});
});

it('the channel of an AMD CPU behind cpuTemperatureC is left out', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  addDevice(
    host,
    'sys/devices/pci0000:00/0000:00:18.3/hwmon/hwmon0',
    {
      name: 'k10temp',
      temp1_label: 'Tctl',
      temp1_input: '66125',
      temp3_label: 'Tccd1',
      temp3_input: '60125',
    },
    'sys/class/hwmon/hwmon0',
  );
  const values = await host.sampleAfter(0);
  assert.equal(values['cpuTemperatureC'], 66.1);
  assert.deepEqual(valuesWithPrefix(values, 'hwmon'), { hwmonK10tempTccd1C: 60.125 });
});

it('a disabled channel is absent; a channel with a fault is absent and logged', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  const chip = 'sys/class/hwmon/hwmon4';
  host.write(`${chip}/fan1_enable`, '0\n');
  host.write(`${chip}/temp2_fault`, '0\n');
  const well = await host.sampleAfter(0);
  assert.deepEqual(Object.keys(valuesWithPrefix(well, 'hwmonNct6798Fan')), ['hwmonNct6798Fan2Rpm']);
  assert.deepEqual(host.logger.lines, []);
  host.write(`${chip}/temp2_fault`, '1\n');
  const values = await host.sampleAfter(1000);
  const { hwmonNct6798CputinC: broken, ...others } = valuesWithPrefix(well, 'hwmon');
  assert.equal(broken, 41.5);
  assert.deepEqual(
    valuesWithPrefix(values, 'hwmon'),
    others,
    'the other channels of the chip and all other chips stay',
  );
  assert.deepEqual(host.logger.lines, ['warn hwmon']);
  host.write(`${chip}/temp2_fault`, '0\n');
  assert.equal((await host.sampleAfter(1000))['hwmonNct6798CputinC'], 41.5);
  assert.deepEqual(host.logger.lines, ['warn hwmon', 'info hwmon']);
});

it('channels with equal labels are named by their pins', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  addDevice(
    host,
    'sys/devices/platform/board/hwmon/hwmon0',
    {
      name: 'board',
      temp1_label: 'Temp',
      temp1_input: '1000',
      temp2_label: 'temp',
      temp2_input: '2000',
      temp3_label: '---',
      temp3_input: '-3500',
    },
    'sys/class/hwmon/hwmon0',
  );
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), {
    hwmonBoardTemp1C: 1,
    hwmonBoardTemp2C: 2,
    hwmonBoardTemp3C: -3.5,
  });
});

it('a label in the device tree names the chip', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  host.write('sys/class/hwmon/hwmon7/label', 'cabinet door\n');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmonL'), { hwmonLm75Temp1C: 22.125 });
  assert.equal((await host.sampleAfter(1000))['hwmonCabinetDoorTemp1C'], 24.5);
});

it('average power is reported only without a current value', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  addDevice(
    host,
    'sys/devices/platform/meter/hwmon/hwmon0',
    {
      name: 'meter',
      power1_average: '1500000',
      power2_average: '1000000',
      power2_input: '2500000',
    },
    'sys/class/hwmon/hwmon0',
  );
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(0), 'hwmon'), {
    hwmonMeterPower1W: 1.5,
    hwmonMeterPower2W: 2.5,
  });
});

it('a new chip is found within 5 minutes; a removed one is absent and not logged', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  await host.sampleAfter(0);
  addDevice(
    host,
    'sys/devices/platform/late/hwmon/hwmon0',
    { name: 'late', temp1_input: '1000' },
    'sys/class/hwmon/hwmon0',
  );
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(300_000), 'hwmon'), { hwmonLateTemp1C: 1 });
  host.remove('sys/devices/platform/late/hwmon/hwmon0/temp1_input');
  host.remove('sys/class/hwmon/hwmon0');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'hwmon'), {});
  assert.deepEqual(host.logger.lines, []);
});

it('two chips that exchange their numbers never exchange their values', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const usb = 'sys/devices/pci0000:00/0000:00:14.0/usb1';
  const connect = (number: number, port: string, name: string, temp1_input: string) =>
    addDevice(
      host,
      `${usb}/${port}/hwmon/hwmon${number}`,
      { name, temp1_input },
      `sys/class/hwmon/hwmon${number}`,
    );
  connect(0, '1-1', 'inlet', '20000');
  connect(1, '1-2', 'outlet', '90000');
  const before = valuesWithPrefix(await host.sampleAfter(0), 'hwmon');
  for (const removed of [`${usb}/1-1`, `${usb}/1-2`, 'sys/class/hwmon']) host.remove(removed);
  connect(0, '1-2', 'outlet', '90000');
  connect(1, '1-1', 'inlet', '20000');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'hwmon'), {});
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'hwmon'), before);
  assert.deepEqual(host.logger.lines, []);
});

it('a chip that gets the number of the CPU chip is not read as the CPU', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const connect = (number: number, place: string, name: string, temp1_input: string) =>
    addDevice(
      host,
      `sys/devices/${place}/hwmon/hwmon${number}`,
      { name, temp1_input },
      `sys/class/hwmon/hwmon${number}`,
    );
  connect(0, 'platform/coretemp.0', 'coretemp', '51000');
  assert.equal((await host.sampleAfter(0))['cpuTemperatureC'], 51);
  for (const removed of ['sys/devices/platform/coretemp.0', 'sys/class/hwmon']) host.remove(removed);
  connect(0, 'usb1/1-1', 'inlet', '7000');
  connect(1, 'platform/coretemp.0', 'coretemp', '52000');
  assert.equal('cpuTemperatureC' in (await host.sampleAfter(1000)), false);
  assert.equal((await host.sampleAfter(1000))['cpuTemperatureC'], 52);
});

it('two channels whose names combine to one key are left out', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  for (const [number, name, temp1_label] of [
    [0, 'pump', 'inlet side'],
    [1, 'pump-inlet', 'side'],
  ] as const) {
    const files = { name, temp1_label, temp1_input: '1000', in0_input: '5' };
    addDevice(
      host,
      `sys/devices/platform/${name}/hwmon/hwmon${number}`,
      files,
      `sys/class/hwmon/hwmon${number}`,
    );
  }
  assert.deepEqual(Object.keys(valuesWithPrefix(await host.sampleAfter(0), 'hwmon')), [
    'hwmonPumpIn0V',
    'hwmonPumpInletIn0V',
  ]);
});

it('a reloaded driver with another number is found at the second sample', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  await host.sampleAfter(0);
  host.remove(`${I2C}/6-0040/hwmon/hwmon8`);
  host.remove('sys/class/hwmon/hwmon8');
  const files = { name: 'ina219', in1_input: '24000' };
  addDevice(host, `${I2C}/6-0040/hwmon/hwmon12`, files, 'sys/class/hwmon/hwmon12');
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'hwmonIna219'), {});
  assert.deepEqual(valuesWithPrefix(await host.sampleAfter(1000), 'hwmonIna219'), { hwmonIna219In1V: 24 });
});

/** Names of the host as parts of keys: readable, stable and bounded. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addressOf } from '../../../src/sensors/devices/address.ts';
import { assignKeyParts, fillKey, labelPart } from '../../../src/sensors/devices/keys.ts';

it('labels become camelCase parts', () => {
  for (const [label, part] of [
    ['Package id 0', 'PackageId0'],
    ['SYSTIN', 'Systin'],
    ['PECI Agent 0', 'PeciAgent0'],
    ['BAT0', 'Bat0'],
    ['k10temp', 'K10temp'],
    ['+3.3V', '3p3V'],
    ['+12V', '12V'],
    ['-12V', 'Minus12V'],
    ['in0', 'In0'],
    ['bq27441-0', 'Bq274410'],
    ['CPU.Temp (°C)', 'CpuTempC'],
    ['---', ''],
  ] as const) {
    assert.equal(labelPart(label), part, label);
  }
});

it('the address of a device does not contain numbers of the load order', () => {
  for (const [link, address] of [
    ['../../devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0/hwmon1', '0000:01:00.0'],
    ['../../devices/platform/nct6775.656/hwmon/hwmon4', 'nct6775.656'],
    ['../../../devices/platform/soc/3f804000.i2c/i2c-1/1-0076/iio:device0', '3f804000.i2c-0076'],
    ['../../../devices/platform/soc/3f804000.i2c/i2c-1/i2c-11/11-0076/iio:device0', '3f804000.i2c-11-0076'],
    ['../../devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/hwmon/hwmon2', 'ata3'],
    ['../../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/0003:1B1C:0C10.0004/hwmon/hwmon5', '1-2:1.0'],
    ['../../devices/pci0000:00/0000:03:00.0/ieee80211/phy0/hwmon3', '0000:03:00.0'],
    ['../../devices/virtual/thermal/thermal_zone0/hwmon0', ''],
    ['../../../LNXSYSTM:00/LNXSYBUS:01/LNXTHERM:01', 'LNXTHERM:01'],
    ['../../../devices/platform/soc/fe204000.spi/spi_master/spi0/spi0.0/iio:device1', 'spi0.0'],
    ['', ''],
  ] as const) {
    assert.equal(addressOf(link), address, link);
  }
});

it('a key has at most 64 characters, and two long names stay distinct', () => {
  const long = 'AVeryLongNameOfAChipOnSomeBoardThatSomebodyHasDescribedInAllDetail';
  const [one, other] = [fillKey('hwmon*C', `${long}One`), fillKey('hwmon*C', `${long}Other`)];
  for (const key of [one, other]) {
    assert.equal(key.length, 64);
    assert.match(key, /^hwmonAVeryLong[A-Za-z0-9]*C$/);
  }
  assert.notEqual(one, other);
  assert.equal(fillKey('hwmon*C', `${long}One`), one);
  assert.equal(fillKey('hwmon*C', 'NvmeComposite'), 'hwmonNvmeCompositeC');
});

it('equal names get their addresses; devices with equal addresses are left out', () => {
  const parts = (...all: readonly (readonly [string, string])[]) =>
    assignKeyParts(all.map(([name, address]) => ({ name, address }))).map(({ part }) => part);
  assert.deepEqual(parts(['nvme', '0000:01:00.0']), ['Nvme']);
  assert.deepEqual(parts(['nvme', '0000:01:00.0'], ['nvme', '0000:02:00.0']), [
    'NvmeAt000001000',
    'NvmeAt000002000',
  ]);
  assert.deepEqual(parts(['twin', ''], ['twin', ''], ['lone', '']), ['Lone']);
  assert.deepEqual(parts(['lm75', ''], ['LM75', 'x']), ['Lm75AtVirtual', 'Lm75AtX']);
  assert.deepEqual(parts(['°', 'x']), []);
});

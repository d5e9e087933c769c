/** Names that a driver counts up with each load: the key is the same before and after. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const SEARCH_MS = 360_000;

it('a Wi-Fi chip keeps its keys when its driver is loaded again', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const load = (count: number, celsius: number) => {
    const name = `iwlwifi_${count}`;
    const zone = `sys/devices/virtual/thermal/thermal_zone${count}`;
    addDevice(host, zone, { type: name, temp: `${celsius}000` }, `sys/class/thermal/thermal_zone${count}`);
    const chip = `sys/devices/virtual/hwmon/hwmon${count}`;
    addDevice(host, chip, { name, temp1_input: `${celsius}500` }, `sys/class/hwmon/hwmon${count}`);
  };
  load(1, 40);
  const before = { hwmonIwlwifiTemp1C: 40.5, thermalIwlwifiC: 40 };
  assert.deepEqual(radios(await host.sampleAfter(0)), before);
  for (const gone of ['sys/devices/virtual', 'sys/class/hwmon', 'sys/class/thermal']) host.remove(gone);
  load(2, 41);
  const after = { hwmonIwlwifiTemp1C: 41.5, thermalIwlwifiC: 41 };
  assert.deepEqual(radios(await host.sampleAfter(SEARCH_MS)), after);
});

it('two radios that change places are told apart by their PCI address', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const load = (phy: number, slot: string, celsius: number) => {
    const path = `sys/devices/pci0000:00/0000:00:1c.0/${slot}/ieee80211/phy${phy}/hwmon${phy}`;
    const files = { name: `mt7915_phy${phy}`, temp1_input: `${celsius}000` };
    addDevice(host, path, files, `sys/class/hwmon/hwmon${phy}`);
  };
  load(0, '0000:02:00.0', 40);
  load(1, '0000:03:00.0', 60);
  const expected = { hwmonMt7915At000002000Temp1C: 40, hwmonMt7915At000003000Temp1C: 60 };
  assert.deepEqual(radios(await host.sampleAfter(0)), expected);
  for (const gone of ['sys/devices/pci0000:00', 'sys/class/hwmon']) host.remove(gone);
  load(2, '0000:03:00.0', 60);
  load(3, '0000:02:00.0', 40);
  assert.deepEqual(radios(await host.sampleAfter(SEARCH_MS)), expected);
});

it('bands of one radio keep their number, which is no count', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  for (const band of [0, 1]) {
    const path = `sys/devices/pci0000:00/0000:01:00.0/ieee80211/phy4/hwmon${band}`;
    const files = { name: `mt7996_phy4.${band}`, temp1_input: `5${band}000` };
    addDevice(host, path, files, `sys/class/hwmon/hwmon${band}`);
  }
  assert.deepEqual(radios(await host.sampleAfter(0)), { hwmonMt7996p0Temp1C: 50, hwmonMt7996p1Temp1C: 51 });
});

it('an adapter that is plugged in again keeps the key of its transceiver', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const plug = (device: string, port: string) => {
    const bus = `sys/devices/pci0000:00/0000:00:14.0/usb1/${port}/${port}:1.0/mdio_bus/usb-${device}`;
    const files = { name: `usb_${device}:03`, temp1_input: '44000' };
    addDevice(host, `${bus}/usb-${device}:03/hwmon/hwmon5`, files, `sys/class/hwmon/hwmon5`);
  };
  plug('001:004', '1-2');
  const expected = { hwmonUsbTemp1C: 44 };
  assert.deepEqual(radios(await host.sampleAfter(0)), expected);
  for (const gone of ['sys/devices/pci0000:00', 'sys/class/hwmon']) host.remove(gone);
  plug('001:009', '1-2');
  assert.deepEqual(radios(await host.sampleAfter(SEARCH_MS)), expected);
});

it('a number that the hardware gives stays in the key', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  for (const [index, name] of ['r8169_0_100:00', 'cpu0-thermal', 'sfp_eth1'].entries()) {
    const path = `sys/devices/platform/board${index}/hwmon/hwmon${index}`;
    addDevice(host, path, { name, temp1_input: '30000' }, `sys/class/hwmon/hwmon${index}`);
  }
  assert.deepEqual(Object.keys(radios(await host.sampleAfter(0))), [
    'hwmonCpu0ThermalTemp1C',
    'hwmonR8169010000Temp1C',
    'hwmonSfpEth1Temp1C',
  ]);
});

it('of two chips of one name, the one without a bus is named as virtual', async (t) => {
  const host = new CapturedHost('x86-vm', t);
  const files = { name: 'twin', temp1_input: '20000' };
  addDevice(host, 'sys/devices/virtual/hwmon/hwmon5', files, 'sys/class/hwmon/hwmon5');
  addDevice(host, 'sys/devices/platform/twin.0/hwmon/hwmon6', files, 'sys/class/hwmon/hwmon6');
  assert.deepEqual(Object.keys(radios(await host.sampleAfter(0))), [
    'hwmonTwinAtTwin0Temp1C',
    'hwmonTwinAtVirtualTemp1C',
  ]);
});

function radios(values: Awaited<ReturnType<CapturedHost['sampleAfter']>>) {
  return { ...valuesWithPrefix(values, 'hwmon'), ...valuesWithPrefix(values, 'thermal') };
}

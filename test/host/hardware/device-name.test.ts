/** The default device name: one per board and system, for every user, also after cloning. */

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { deriveDeviceName } from '../../../src/host/hardware/device-name.ts';
import { BOARD, ETH0, type Files, HOSTNAME, hostOf, MACHINE_ID, mac, serial } from '../host-files.ts';

it('the device name of a board and system never changes', (t) => {
  assert.deepEqual(deriveDeviceName({ root: hostOf(t, MACHINE_ID, BOARD) }), {
    ok: true,
    name: 'gw-31aee0e4bdee',
    sources: ['machine-id', 'device-tree serial-number'],
  });
});

it('the device names of the captured hosts never change', () => {
  const names = ['raspberry-pi-4', 'x86-vm', 'container'].map((host) => {
    const found = deriveDeviceName({ root: join(process.cwd(), 'test/fixtures/hosts', host) });
    return found.ok ? [found.name, ...found.sources] : [found.problem];
  });
  assert.deepEqual(names, [
    ['gw-31aee0e4bdee', 'machine-id', 'device-tree serial-number'],
    ['gw-68c9e75018ad', 'machine-id'],
    ['gw-70e487dd3218', 'hostname'],
  ]);
});

it('a cloned image has another device name on another board', (t) => {
  const other = { 'proc/device-tree/serial-number': '10000000abcdef02\0' };
  assert.notEqual(nameOf(t, MACHINE_ID, BOARD), nameOf(t, MACHINE_ID, other));
});

it('a re-flashed board has another device name', (t) => {
  const fresh = { 'etc/machine-id': '00000000000000000000000000000001\n' };
  assert.notEqual(nameOf(t, MACHINE_ID, BOARD), nameOf(t, fresh, BOARD));
});

it('a new network adapter does not rename a board that has a serial number', (t) => {
  assert.equal(nameOf(t, MACHINE_ID, BOARD), nameOf(t, MACHINE_ID, BOARD, ETH0));
});

it('both paths of the device tree give the same device name', (t) => {
  const elsewhere = { 'sys/firmware/devicetree/base/serial-number': '10000000abcdef01\0' };
  assert.equal(nameOf(t, MACHINE_ID, BOARD), nameOf(t, MACHINE_ID, elsewhere));
});

it('the device name of a PC uses the first DMI serial number that is no placeholder', (t) => {
  const dmi = {
    'sys/class/dmi/id/product_serial': 'To Be Filled By O.E.M.\n',
    'sys/class/dmi/id/board_serial': 'Default string\n',
    'sys/class/dmi/id/product_uuid': '4c4c4544-0033-4a10-8052-b4c04f4d4432\n',
  };
  assert.deepEqual(sourcesOf(t, MACHINE_ID, dmi, ETH0), ['machine-id', 'dmi product_uuid']);
});

it('a DMI serial number that only root can read is not used, not even by root', (t) => {
  const root = hostOf(t, MACHINE_ID, { 'sys/class/dmi/id/product_serial': 'ABC1234\n' }, ETH0);
  chmodSync(join(root, 'sys/class/dmi/id/product_serial'), 0o400);
  const found = deriveDeviceName({ root });
  assert.deepEqual(found.ok && found.sources, ['machine-id', 'mac of eth0']);
});

it('without a serial number the device name uses the first permanent address', (t) => {
  const random = mac('ath0', '00:00:5e:00:53:02', { type: '3' });
  const bridge = mac('br0', '00:00:5e:00:53:03', { device: false });
  const dongle = mac('enx1', '00:00:5e:00:53:04', { usb: true });
  const later = mac('eth1', '00:00:5e:00:53:05');
  assert.deepEqual(sourcesOf(t, MACHINE_ID, later, dongle, bridge, random, ETH0), [
    'machine-id',
    'mac of eth0',
  ]);
  assert.deepEqual(sourcesOf(t, MACHINE_ID, dongle, bridge), ['machine-id', 'mac of enx1']);
});

it('a device name that two hosts can share has a warning', (t) => {
  for (const parts of [[MACHINE_ID], [BOARD], [HOSTNAME]]) {
    const found = deriveDeviceName({ root: hostOf(t, ...parts) });
    assert.equal(found.ok && typeof found.warning, 'string');
  }
  const unique = deriveDeviceName({ root: hostOf(t, MACHINE_ID, BOARD) });
  assert.equal(unique.ok && unique.warning, undefined);
});

it('an address that can be random or shared is not in the device name', (t) => {
  for (const address of ['76:92:f5:00:00:01', '02:00:5e:20:00:01', '00:00:11:12:13:14']) {
    const found = deriveDeviceName({ root: hostOf(t, MACHINE_ID, mac('eth0', address)) });
    assert.ok(found.ok);
    assert.deepEqual(found.sources, ['machine-id'], address);
    assert.match(found.warning ?? '', /each clone of this image gets the same name/);
    assert.deepEqual(sourcesOf(t, MACHINE_ID, mac('eth0', address), mac('wlan0', '00:00:5e:00:53:02')), [
      'machine-id',
      'mac of wlan0',
    ]);
  }
});

it('a serial number that boards share is not in the device name', (t) => {
  const shared = serial('c3d9b8674f4b94f6');
  assert.deepEqual(sourcesOf(t, MACHINE_ID, shared, ETH0), ['machine-id', 'mac of eth0']);
  const other = mac('eth0', '00:00:5e:00:53:02');
  assert.notEqual(nameOf(t, MACHINE_ID, shared, ETH0), nameOf(t, MACHINE_ID, shared, other));
});

it('a device name of a machine-id and a USB address alone has a warning', (t) => {
  const found = deriveDeviceName({
    root: hostOf(t, MACHINE_ID, mac('usb0', '00:00:5e:00:53:02', { usb: true })),
  });
  assert.ok(found.ok);
  assert.deepEqual(found.sources, ['machine-id', 'mac of usb0']);
  assert.match(found.warning ?? '', /USB adapter or modem/);
  const both = [mac('usb0', '00:00:5e:00:53:02', { usb: true }), ETH0];
  const unique = deriveDeviceName({ root: hostOf(t, MACHINE_ID, ...both) });
  assert.equal(unique.ok && unique.warning, undefined);
});

it('a template with an identifier that boards share works, with a warning', (t) => {
  const root = hostOf(t, MACHINE_ID, serial('c3d9b8674f4b94f6'), mac('eth0', '76:92:f5:00:00:01'));
  const [bySerial, byMac, byBoth] = ['gw-{serial}', 'gw-{mac}', '{machineId}'].map((template) =>
    deriveDeviceName({ root, template }),
  );
  assert.ok(bySerial?.ok && byMac?.ok && byBoth?.ok);
  assert.deepEqual([bySerial.name, byMac.name], ['gw-c3d9b8674f4b94f6', 'gw-7692f5000001']);
  assert.match(bySerial.warning ?? '', /same serial number/);
  assert.match(byMac.warning ?? '', /no MAC address of its own/);
  assert.equal(byBoth.warning, undefined);
});

it('an uninitialised machine-id is not used', (t) => {
  const uninitialised = { 'etc/machine-id': 'uninitialized\n' };
  assert.deepEqual(sourcesOf(t, uninitialised, BOARD), ['device-tree serial-number']);
  assert.deepEqual(sourcesOf(t, { 'etc/machine-id': '' }, BOARD), ['device-tree serial-number']);
});

it('a serial number of zeros is not used', (t) => {
  const zeros = { 'proc/device-tree/serial-number': '0000000000000000\0' };
  assert.deepEqual(sourcesOf(t, MACHINE_ID, zeros, ETH0), ['machine-id', 'mac of eth0']);
});

it('a host without any identifier gets a problem, not a device name', (t) => {
  const found = deriveDeviceName({ root: hostOf(t) });
  assert.match(found.ok ? '' : found.problem, /no machine-id/);
});

it('the placeholders of a template are replaced from this host', (t) => {
  const root = hostOf(t, MACHINE_ID, BOARD, HOSTNAME, ETH0);
  assert.deepEqual(deriveDeviceName({ root, template: 'site7-{hostname}-{serial}-{mac}' }), {
    ok: true,
    name: 'site7-pi-10000000abcdef01-00005e005301',
    sources: ['hostname', 'serial', 'mac'],
  });
});

it('a template with a placeholder that this host cannot replace is a problem', (t) => {
  const found = deriveDeviceName({ root: hostOf(t, MACHINE_ID), template: 'gw-{serial}' });
  assert.match(found.ok ? '' : found.problem, /no serial for the placeholder \{serial\}/);
});

function nameOf(t: TestContext, ...parts: readonly Files[]): string {
  const found = deriveDeviceName({ root: hostOf(t, ...parts) });
  assert.ok(found.ok);
  assert.match(found.name, /^gw-[0-9a-f]{12}$/);
  return found.name;
}

function sourcesOf(t: TestContext, ...parts: readonly Files[]): readonly string[] {
  const found = deriveDeviceName({ root: hostOf(t, ...parts) });
  return found.ok ? found.sources : [found.problem];
}

/** The fingerprint of a board: its entries, and when it changes. */

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type Fingerprint, isSameBoard } from '../../../src/core/model/board-fingerprint.ts';
import { boardFingerprint } from '../../../src/host/hardware/fingerprint.ts';
import { BOARD, ETH0, type Files, HOSTNAME, hostOf, MACHINE_ID, mac, serial } from '../host-files.ts';

const WLAN0 = mac('wlan0', '00:00:5e:00:53:02');

it('the fingerprint of a board never changes between versions of the agent', (t) => {
  assert.deepEqual(fingerprintOf(t, BOARD, ETH0), ['serial:63814daf076b2b72', 'mac:606e2e8437086c70']);
  const local = mac('eth0', '02:00:5e:20:00:01');
  assert.deepEqual(fingerprintOf(t, local), ['weak-mac:32677460a445573f'], 'mac: of an earlier agent');
});

it('a fingerprint has the serial number and every permanent address, also on USB', (t) => {
  const dongle = mac('enx1', '00:00:5e:00:53:03', { usb: true });
  const entries = fingerprintOf(t, BOARD, ETH0, WLAN0, dongle);
  assert.deepEqual(kindsOf(entries), ['serial', 'mac', 'mac', 'mac', 'usb']);
  for (const entry of entries) assert.match(entry, /^(serial|mac|usb):[0-9a-f]{16}$/);
  assert.ok(entries.includes(`mac:${entries[4]?.slice('usb:'.length)}`));
});

it('a fingerprint does not contain the serial number or an address in plain text', (t) => {
  const text = fingerprintOf(t, { 'proc/device-tree/serial-number': '0123456789abcdef\0' }, ETH0).join('\n');
  assert.doesNotMatch(text, /0123456789abcdef|00005e005301|00:00/);
});

it('a fingerprint leaves out addresses that are random, set, virtual or zero', (t) => {
  const none = [
    mac('wlan0', '00:00:5e:00:53:02', { type: '1' }),
    mac('eth1', '00:00:5e:00:53:03', { type: '3' }),
    mac('br0', '00:00:5e:00:53:04', { device: false }),
    mac('eth2', '00:00:00:00:00:00'),
  ];
  assert.deepEqual(fingerprintOf(t, ...none), []);
});

it('a fingerprint leaves out serial numbers that are placeholders or root-only', (t) => {
  const filled = { 'sys/class/dmi/id/board_serial': 'To Be Filled By O.E.M.\n' };
  assert.deepEqual(kindsOf(fingerprintOf(t, filled, ETH0)), ['mac']);
  const root = hostOf(t, { 'sys/class/dmi/id/product_serial': 'ABC1234\n' }, ETH0);
  chmodSync(join(root, 'sys/class/dmi/id/product_serial'), 0o400);
  assert.deepEqual(kindsOf(boardFingerprint({ root })), ['mac']);
});

it('a fingerprint marks what boards share as weak', (t) => {
  for (const address of ['02:00:5e:20:00:02', '76:92:f5:00:00:01', '00:00:11:12:13:14', '00:a0:c6:00:00:00'])
    assert.deepEqual(kindsOf(fingerprintOf(t, mac('eth0', address))), ['weak-mac'], address);
  for (const number of ['c3d9b8674f4b94f6', '1234567890abcdef', 'FEDCBA98', '1111-1111'])
    assert.deepEqual(kindsOf(fingerprintOf(t, serial(number), ETH0)), ['mac', 'weak-serial'], number);
  for (const number of ['12345678901', '10000000abcdef01', '11111112', '2345678'])
    assert.deepEqual(kindsOf(fingerprintOf(t, serial(number))), ['serial'], number);
});

it('a board with a shared serial number has that of its processor', (t) => {
  const cpuinfo = { 'proc/cpuinfo': 'processor\t: 0\nModel name\t: x\n\nSerial\t\t: d48936ed7d1551fc\n' };
  const entries = fingerprintOf(t, serial('c3d9b8674f4b94f6'), cpuinfo);
  assert.deepEqual(kindsOf(entries), ['serial', 'weak-serial']);
  assert.deepEqual(fingerprintOf(t, cpuinfo), [], 'only then, because a later boot loader may set another');
  const none = { 'proc/cpuinfo': 'Serial\t\t: 0000000000000000\n' };
  assert.deepEqual(kindsOf(fingerprintOf(t, serial('c3d9b8674f4b94f6'), none)), ['weak-serial']);
});

it('an address on the board and on USB is not marked as on USB', (t) => {
  const address = '00:00:5e:00:53:01';
  assert.deepEqual(kindsOf(fingerprintOf(t, mac('eth0', address), mac('enx1', address, { usb: true }))), [
    'mac',
  ]);
});

it('machine-id and hostname do not change the fingerprint', (t) => {
  assert.deepEqual(fingerprintOf(t, MACHINE_ID, HOSTNAME, BOARD), fingerprintOf(t, BOARD));
});

it('renamed interfaces and shared addresses do not change the fingerprint', (t) => {
  const [one, two] = ['00:00:5e:00:53:01', '00:00:5e:00:53:02'];
  const before = fingerprintOf(t, mac('eth0', one), mac('eth1', two));
  assert.deepEqual(fingerprintOf(t, mac('eth0', two), mac('eth1', one)), before);
  assert.deepEqual(fingerprintOf(t, mac('lan', one), mac('wan', two), mac('lan2', one)), before);
});

it('a host without serial number and addresses has an empty fingerprint', (t) => {
  assert.deepEqual(fingerprintOf(t), []);
});

it('the captured hosts have different fingerprints; that of the container is empty', () => {
  const [pi, vm, container] = ['raspberry-pi-4', 'x86-vm', 'container'].map((host) =>
    boardFingerprint({ root: join(process.cwd(), 'test/fixtures/hosts', host) }),
  );
  assert.ok(pi && vm && container);
  assert.deepEqual(kindsOf(pi), ['serial', 'mac', 'mac']);
  assert.deepEqual(kindsOf(vm), ['weak-mac']);
  assert.deepEqual(container, []);
  const [gateway, emmc] = ['x86-gateway', 'emmc-board'].map((host) =>
    boardFingerprint({ root: join(process.cwd(), 'test/fixtures/hosts', host) }),
  );
  assert.ok(gateway && emmc);
  for (const [one, other] of [
    [pi, emmc],
    [pi, gateway],
  ] as const)
    assert.equal(isSameBoard(one, other), false);
});

it('isSameBoard detects another board, and tolerates another network adapter', (t) => {
  const other = { 'proc/device-tree/serial-number': '10000000abcdef02\0' };
  const stored = fingerprintOf(t, BOARD, ETH0);
  assert.equal(isSameBoard(stored, fingerprintOf(t, other, mac('eth0', '00:00:5e:00:53:09'))), false);
  assert.equal(isSameBoard(stored, fingerprintOf(t, BOARD, mac('eth0', '00:00:5e:00:53:09'))), true);
});

function fingerprintOf(t: TestContext, ...parts: readonly Files[]): Fingerprint {
  return boardFingerprint({ root: hostOf(t, ...parts) });
}

function kindsOf(fingerprint: Fingerprint): readonly string[] {
  return fingerprint.map((entry) => entry.slice(0, entry.indexOf(':')));
}

/** The fingerprint of a board: its entries, and when it changes. */

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type Fingerprint, isSameBoard } from '../../../src/core/model/board-fingerprint.ts';
import { boardFingerprint } from '../../../src/host/hardware/fingerprint.ts';
import { BOARD, ETH0, type Files, HOSTNAME, hostOf, MACHINE_ID, mac } from '../host-files.ts';

const WLAN0 = mac('wlan0', '02:00:5e:20:00:02');

it('the fingerprint of a board never changes between versions of the agent', (t) => {
  assert.deepEqual(fingerprintOf(t, BOARD, ETH0), ['serial:63814daf076b2b72', 'mac:32677460a445573f']);
});

it('a fingerprint has the serial number and every permanent address, also on USB', (t) => {
  const dongle = mac('enx1', '02:00:5e:20:00:03', { usb: true });
  const entries = fingerprintOf(t, BOARD, ETH0, WLAN0, dongle);
  assert.deepEqual(kindsOf(entries), ['serial', 'mac', 'mac', 'mac']);
  assert.equal(new Set(entries).size, 4);
  for (const entry of entries) assert.match(entry, /^(serial|mac):[0-9a-f]{16}$/);
});

it('a fingerprint does not contain the serial number or an address in plain text', (t) => {
  const text = fingerprintOf(t, { 'proc/device-tree/serial-number': '0123456789abcdef\0' }, ETH0).join('\n');
  assert.doesNotMatch(text, /0123456789abcdef|02005e200001|02:00/);
});

it('a fingerprint leaves out addresses that are random, set, virtual or zero', (t) => {
  const none = [
    mac('wlan0', '02:00:5e:20:00:02', { type: '1' }),
    mac('eth1', '02:00:5e:20:00:03', { type: '3' }),
    mac('br0', '02:00:5e:20:00:04', { device: false }),
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

it('machine-id and hostname do not change the fingerprint', (t) => {
  assert.deepEqual(fingerprintOf(t, MACHINE_ID, HOSTNAME, BOARD), fingerprintOf(t, BOARD));
});

it('renamed interfaces and shared addresses do not change the fingerprint', (t) => {
  const [one, two] = ['02:00:5e:20:00:01', '02:00:5e:20:00:02'];
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
  assert.deepEqual(kindsOf(vm), ['mac']);
  assert.deepEqual(container, []);
  assert.equal(isSameBoard(pi, vm), false);
});

it('isSameBoard detects another board, and tolerates another network adapter', (t) => {
  const other = { 'proc/device-tree/serial-number': '10000000abcdef02\0' };
  const stored = fingerprintOf(t, BOARD, ETH0);
  assert.equal(isSameBoard(stored, fingerprintOf(t, other, mac('eth0', '02:00:5e:20:00:09'))), false);
  assert.equal(isSameBoard(stored, fingerprintOf(t, BOARD, mac('eth0', '02:00:5e:20:00:09'))), true);
});

function fingerprintOf(t: TestContext, ...parts: readonly Files[]): Fingerprint {
  return boardFingerprint({ root: hostOf(t, ...parts) });
}

function kindsOf(fingerprint: Fingerprint): readonly string[] {
  return fingerprint.map((entry) => entry.slice(0, entry.indexOf(':')));
}

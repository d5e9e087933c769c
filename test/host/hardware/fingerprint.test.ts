/** The fingerprint of a board: what is in it, what is not, and when it changes. */

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type Fingerprint, isSameBoard } from '../../../src/core/model/board-fingerprint.ts';
import { boardFingerprint } from '../../../src/host/hardware/fingerprint.ts';
import { BOARD, ETH0, type Files, HOSTNAME, hostOf, MACHINE_ID, mac } from '../host-files.ts';

const WLAN0 = mac('wlan0', '02:00:5e:20:00:02');

it('the fingerprint of a given board never changes: it is compared with one stored years ago', (t) => {
  assert.deepEqual(fingerprintOf(t, BOARD, ETH0), ['serial:63814daf076b2b72', 'mac:32677460a445573f']);
});

it('has an entry for the serial and one for every burnt-in address, also one on USB', (t) => {
  const dongle = mac('enx1', '02:00:5e:20:00:03', { usb: true });
  const entries = fingerprintOf(t, BOARD, ETH0, WLAN0, dongle);
  assert.deepEqual(kindsOf(entries), ['serial', 'mac', 'mac', 'mac']);
  assert.equal(new Set(entries).size, 4);
  for (const entry of entries) assert.match(entry, /^(serial|mac):[0-9a-f]{16}$/);
});

it('holds neither the serial nor an address as it is written on the board', (t) => {
  const text = fingerprintOf(t, { 'proc/device-tree/serial-number': '0123456789abcdef\0' }, ETH0).join('\n');
  assert.doesNotMatch(text, /0123456789abcdef|02005e200001|02:00/);
});

it('an address that is random, set by hand, of a bridge, or of nobody is not in it', (t) => {
  const none = [
    mac('wlan0', '02:00:5e:20:00:02', { type: '1' }),
    mac('eth1', '02:00:5e:20:00:03', { type: '3' }),
    mac('br0', '02:00:5e:20:00:04', { device: false }),
    mac('eth2', '00:00:00:00:00:00'),
  ];
  assert.deepEqual(fingerprintOf(t, ...none), []);
});

it('a serial that is a placeholder, or that only root may read, is not in it', (t) => {
  const filled = { 'sys/class/dmi/id/board_serial': 'To Be Filled By O.E.M.\n' };
  assert.deepEqual(kindsOf(fingerprintOf(t, filled, ETH0)), ['mac']);
  const root = hostOf(t, { 'sys/class/dmi/id/product_serial': 'ABC1234\n' }, ETH0);
  chmodSync(join(root, 'sys/class/dmi/id/product_serial'), 0o400);
  assert.deepEqual(kindsOf(boardFingerprint({ root })), ['mac']);
});

it('machine-id and hostname are the system’s, not the board’s: they do not change it', (t) => {
  assert.deepEqual(fingerprintOf(t, MACHINE_ID, HOSTNAME, BOARD), fingerprintOf(t, BOARD));
});

it('interfaces that are renamed, or share one address, give the same fingerprint', (t) => {
  const [one, two] = ['02:00:5e:20:00:01', '02:00:5e:20:00:02'];
  const before = fingerprintOf(t, mac('eth0', one), mac('eth1', two));
  assert.deepEqual(fingerprintOf(t, mac('eth0', two), mac('eth1', one)), before);
  assert.deepEqual(fingerprintOf(t, mac('lan', one), mac('wan', two), mac('lan2', one)), before);
});

it('a host that shows nothing of its board has an empty one', (t) => {
  assert.deepEqual(fingerprintOf(t), []);
});

it('the captured hosts are three that can be told apart, except the container, which shows nothing', () => {
  const [pi, vm, container] = ['raspberry-pi-4', 'x86-vm', 'container'].map((host) =>
    boardFingerprint({ root: join(process.cwd(), 'test/fixtures/hosts', host) }),
  );
  assert.ok(pi && vm && container);
  assert.deepEqual(kindsOf(pi), ['serial', 'mac', 'mac']);
  assert.deepEqual(kindsOf(vm), ['mac']);
  assert.deepEqual(container, []);
  assert.equal(isSameBoard(pi, vm), false);
});

it('a card that moves to another board is noticed, a network card that is swapped is not', (t) => {
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

/** One gateway stays one device over many boots, and two boards are never one: with the files of boards that identify them badly. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FINGERPRINT_ENTRIES_MAX, type Fingerprint } from '../../src/core/model/board-fingerprint.ts';
import { Secret } from '../../src/core/model/secret.ts';
import { deriveDeviceName } from '../../src/host/hardware/device-name.ts';
import { boardFingerprint } from '../../src/host/hardware/fingerprint.ts';
import { SERVER } from '../contracts/credential-store.ts';
import { ON_DISK, StoreFixture } from '../credentials/store-fixture.ts';
import { BOARD, type Files, hostOf, MACHINE_ID, mac, serial } from '../host/host-files.ts';
import { repetitions } from '../repetitions.ts';

/** Unique ones of the documentation range of RFC 7042, burnt in. */
const [ETH0, OTHER_ETH0] = [mac('eth0', '00:00:5e:00:53:01'), mac('eth0', '00:00:5e:00:53:02')];
const WLAN0 = mac('wlan0', '00:00:5e:00:53:03');
/** The serial number of every px30 board, and the address of every modem of one maker. */
const SHARED_SERIAL = serial('c3d9b8674f4b94f6');
const MODEM = mac('wwan0', '00:00:11:12:13:14', { usb: true });
const DONGLE = mac('enx1', '00:00:5e:00:53:04', { usb: true });

/** As u-boot makes one at each boot; the kernel calls it burnt in. */
const random = (boot: number, name = 'eth0') =>
  mac(name, `76:92:f5:00:${hex(boot >> 8)}:${hex(boot & 0xff)}`);
const hex = (byte: number) => byte.toString(16).padStart(2, '0');

/** Starts the agent once, with the state of the earlier starts. Returns the name of the device that it uses. */
async function start(t: TestContext, state: StoreFixture, ...parts: readonly Files[]): Promise<string> {
  const root = hostOf(t, MACHINE_ID, ...parts);
  const store = state.openOn(boardFingerprint({ root }));
  const stored = await store.read();
  if (stored) return stored.deviceName;
  const derived = deriveDeviceName({ root });
  assert.ok(derived.ok);
  const device = { server: SERVER, deviceName: derived.name, token: new Secret('issued-token'), sinceMs: 1 };
  await store.write({ state: 'provisioned', ...device });
  return derived.name;
}

function openState(t: TestContext): StoreFixture {
  const state = new StoreFixture();
  t.after(() => state[Symbol.dispose]());
  return state;
}

const BOOTS = repetitions(100, 25);

describe('many boots are one device and one write', () => {
  const gateways: readonly [what: string, ofBoot: (boot: number) => readonly Files[]][] = [
    ['with a serial number', () => [BOARD, ETH0]],
    ['with a new random address at each boot', (boot) => [random(boot)]],
    ['with a serial number and a random address', (boot) => [BOARD, random(boot)]],
    ['with a shared serial number and a random address', (boot) => [SHARED_SERIAL, random(boot)]],
    ['with two random addresses and a burnt-in one', (boot) => [random(boot), random(boot, 'eth1'), WLAN0]],
    ['with a modem that has the address of all modems', (boot) => [random(boot), MODEM]],
    ['with a serial number of a counting pattern', (boot) => [serial('1234567890abcdef'), random(boot)]],
  ];
  for (const [what, ofBoot] of gateways) {
    it(`${BOOTS} boots of a board ${what} are one device`, async (t) => {
      const state = openState(t);
      const names = new Set<string>();
      names.add(await start(t, state, ...ofBoot(0)));
      const before = state.contents;
      for (let boot = 1; boot < BOOTS; boot += 1) names.add(await start(t, state, ...ofBoot(boot)));
      assert.equal(names.size, 1, [...names].join(' '));
      assert.deepEqual(state.contents, before);
    });
  }

  it('a driver that is late at some boots does not make another device', async (t) => {
    const state = openState(t);
    const names = new Set<string>();
    for (let boot = 0; boot < BOOTS; boot += 1)
      names.add(await start(t, state, random(boot), ...(boot % 3 === 0 ? [] : [WLAN0]), DONGLE));
    assert.equal(names.size, 1);
  });
});

describe('a copied card', () => {
  const pairs: readonly [what: string, board: readonly Files[], other: readonly Files[]][] = [
    ['with a serial number', [BOARD, ETH0], [serial('10000000abcdef02'), OTHER_ETH0]],
    ['with a shared serial number', [SHARED_SERIAL, ETH0], [SHARED_SERIAL, OTHER_ETH0]],
    ['with the same modem', [ETH0, MODEM], [OTHER_ETH0, MODEM]],
    ['to which the USB adapter was moved', [ETH0, DONGLE], [OTHER_ETH0, DONGLE]],
    ['without serial number', [ETH0], [OTHER_ETH0]],
  ];
  for (const [what, board, other] of pairs) {
    it(`a copied card on a second board ${what} gets a device of its own`, async (t) => {
      const state = openState(t);
      const name = await start(t, state, ...board);
      const second = await start(t, state, ...other);
      assert.notEqual(second, name);
      assert.ok(state.log.events.includes('FL-BOARD-CHANGED'));
      assert.equal(await start(t, state, ...board), name, 'back on its own board');
    });
  }

  it('a copied card on a board with the same unknown serial number is reported', async (t) => {
    const state = openState(t);
    const shared = serial('5a5a000017');
    const name = await start(t, state, shared, ETH0);
    assert.equal(await start(t, state, shared, OTHER_ETH0), name);
    assert.deepEqual(state.log.events, ['FL-BOARD-UNCERTAIN']);
  });

  it('a replaced USB adapter of a board with a serial number is not reported', async (t) => {
    const state = openState(t);
    const name = await start(t, state, BOARD, DONGLE);
    assert.equal(await start(t, state, BOARD, mac('enx2', '00:00:5e:00:53:05', { usb: true })), name);
    assert.deepEqual(state.log.events, []);
  });
});

/** As an agent before the marks stored it: every serial number and address that it saw, of the boots until then. */
function earlierRecord(...boots: readonly Fingerprint[]): string {
  const entries = new Set(boots.flat().filter((entry) => !entry.startsWith('usb:')));
  return JSON.stringify({
    ...ON_DISK,
    deviceName: 'gw-0123456789ab',
    fingerprint: [...entries].map((entry) => entry.replace(/^weak-/, '')),
  });
}

describe('credentials of an earlier agent', () => {
  const gateways: readonly [what: string, before: readonly Files[], after: readonly Files[]][] = [
    ['with a stable local address', [random(1)], [random(1)]],
    ['with another random address after the upgrade', [random(1)], [random(2)]],
    ['with a local address, and a late driver at the upgrade', [random(1)], [random(1), WLAN0]],
    ['with a shared serial number', [SHARED_SERIAL, ETH0], [SHARED_SERIAL, ETH0]],
    [
      'with a shared serial number and random addresses',
      [SHARED_SERIAL, random(1)],
      [SHARED_SERIAL, random(2)],
    ],
    [
      'with a shared serial number, and a late driver at the upgrade',
      [SHARED_SERIAL, random(1)],
      [SHARED_SERIAL, random(2), WLAN0],
    ],
    ['with a counting serial number alone', [serial('1234567890abcdef')], [serial('1234567890abcdef'), ETH0]],
    ['with a modem', [ETH0, MODEM], [ETH0, MODEM]],
    ['with a modem alone', [MODEM], [MODEM]],
    ['with a USB adapter, and a late driver at the upgrade', [DONGLE], [DONGLE, WLAN0]],
    ['with a serial number', [BOARD, ETH0], [BOARD, OTHER_ETH0]],
  ];
  for (const [what, before, after] of gateways) {
    it(`credentials of an earlier agent stay in use on a board ${what}`, async (t) => {
      const state = openState(t);
      state.put('credentials.json', earlierRecord(boardFingerprint({ root: hostOf(t, ...before) })));
      for (let boot = 0; boot < 3; boot += 1)
        assert.equal(await start(t, state, ...after), 'gw-0123456789ab', state.log.events.join(' '));
      assert.ok(!state.log.events.includes('FL-BOARD-CHANGED'));
      assert.ok(state.bytes('credentials.json').includes(ON_DISK.token));
    });
  }

  it('credentials of an earlier agent with many random addresses stay in use', async (t) => {
    const state = openState(t);
    const boots = Array.from({ length: 90 }, (_, boot) =>
      boardFingerprint({ root: hostOf(t, SHARED_SERIAL, random(boot)) }),
    );
    state.put('credentials.json', earlierRecord(...boots));
    for (let boot = 90; boot < 100; boot += 1)
      assert.equal(await start(t, state, SHARED_SERIAL, random(boot), WLAN0), 'gw-0123456789ab');
    const { fingerprint } = JSON.parse(state.bytes('credentials.json')) as { fingerprint: Fingerprint };
    assert.ok(fingerprint.length <= FINGERPRINT_ENTRIES_MAX);
  });

  const others: readonly [what: string, before: readonly Files[], after: readonly Files[], event: string][] =
    [
      ['another serial number', [BOARD, ETH0], [serial('10000000abcdef02'), OTHER_ETH0], 'FL-BOARD-CHANGED'],
      ['other addresses', [ETH0], [OTHER_ETH0], 'FL-BOARD-CHANGED'],
      [
        'the same shared serial number',
        [SHARED_SERIAL, ETH0],
        [SHARED_SERIAL, OTHER_ETH0],
        'FL-BOARD-UNCERTAIN',
      ],
      ['the same modem', [ETH0, MODEM], [OTHER_ETH0, MODEM], 'FL-BOARD-UNCERTAIN'],
    ];
  for (const [what, before, after, event] of others) {
    it(`credentials of an earlier agent on another board with ${what} are ${event}`, async (t) => {
      const state = openState(t);
      state.put('credentials.json', earlierRecord(boardFingerprint({ root: hostOf(t, ...before) })));
      await start(t, state, ...after);
      assert.ok(state.log.events.includes(event), state.log.events.join(' '));
    });
  }
});

/** Invalid or missing network interfaces do not affect other interfaces. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const WLAN_COUNTERS = /(wlan0:\s+\d+\s+\d+\s+)\d+/;

it('a counter below zero has a rate and does not affect other interfaces', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.edit('proc/net/dev', WLAN_COUNTERS, (_, head = '') => `${head}18446744073709551614`);
  await pi.sampleAfter(0);
  pi.edit('proc/net/dev', '18446744073709551614', '1');
  pi.edit('proc/net/dev', /(wlan0:\s+\d+\s+)\d+/, (_, head = '') => `${head}9999`);
  const values = await pi.sampleAfter(1000);
  assert.equal(values['netEth0RxBytesPerS'], 0);
  assert.equal(values['netWlan0RxBytesPerS'], 0);
  assert.ok(Number(values['netWlan0RxErrorsPerS']) < 5);
  assert.deepEqual(pi.logger.lines, []);
});

it('an invalid counter drops only the rates of its interface', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const well = await pi.sampleAfter(0);
  pi.edit('proc/net/dev', WLAN_COUNTERS, (_, head = '') => `${head}-1`);
  const values = await pi.sampleAfter(1000);
  assert.deepEqual(
    Object.keys(valuesWithPrefix(values, 'netWlan0')),
    Object.keys(valuesWithPrefix(well, 'netWlan0')),
  );
  assert.equal(values['netEth0RxBytesPerS'], 0);
  assert.deepEqual(pi.logger.lines, ['warn network']);
});

it('tunnels are not reported after the only adapter was removed', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  pi.write('proc/net/dev', `${pi.read('proc/net/dev')}  wg0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n`);
  const tunnel = { flags: '0x91', operstate: 'unknown', ifindex: '9' };
  addDevice(pi, 'sys/class/net/wg0', tunnel);
  await pi.sampleAfter(0);
  pi.edit('proc/net/dev', / *wlan0:.*\n/, '');
  pi.edit('proc/net/wireless', / *wlan0:.*\n/, '');
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(1000), 'net'), {});
});

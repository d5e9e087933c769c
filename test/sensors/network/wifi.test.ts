/** Lines of /proc/net/wireless in every form that drivers print. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import { CapturedHost } from '../helpers/captured-host.ts';

const WELL = ' wlan0: 0000   56.  -54.  -256        0      0      0      3      0        0';

const LINES: readonly { readonly what: string; readonly line: string; readonly values: Values }[] = [
  { what: 'a signal in dBm', line: WELL, values: { netWlan0SignalDbm: -54, netWlan0LinkQuality: 56 } },
  {
    what: 'a level without dots',
    line: ' wlan0: 0001   100    100   0        0      0      0      0      0        0',
    values: { netWlan0LinkQuality: 100 },
  },
  {
    what: 'a level of 200 that is not in dBm',
    line: ' wlan0: 0000   70   200   0        0      0      0      0      0        0',
    values: { netWlan0LinkQuality: 70 },
  },
  {
    what: 'no level',
    line: ' wlan0: 0000    0.  -256.  -256        0      0      0      0      0        0',
    values: {},
  },
];

for (const { what, line, values } of LINES) {
  it(`a line with ${what} gives ${Object.keys(values).join(' and ') || 'no value'}`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.write('proc/net/wireless', pi.read('proc/net/wireless').replace(/^ *wlan0:.*$/m, line));
    assert.deepEqual(wifiOf(await pi.sampleAfter(0)), values);
    assert.deepEqual(pi.logger.lines, []);
  });
}

for (const odd of [' wlan%d: 0000   56.  -54.  -256  0 0 0 0 0 0', ' wlan1: 0000 n/a', '%']) {
  it(`the odd line "${odd.trim()}" costs no other interface and is logged once`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.edit('proc/net/wireless', WELL, `${odd}\n${WELL}`);
    for (let round = 0; round < 3; round += 1) {
      const values = wifiOf(await pi.sampleAfter(10_000));
      assert.deepEqual(values, { netWlan0SignalDbm: -54, netWlan0LinkQuality: 56 });
    }
    assert.deepEqual(pi.logger.lines, ['warn wifi']);
  });
}

it('an interface in two lines has no signal', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.edit('proc/net/wireless', WELL, `${WELL}\n${WELL.replace('-54', '-80')}`);
  assert.deepEqual(wifiOf(await pi.sampleAfter(0)), {});
  assert.deepEqual(pi.logger.lines, ['warn wifi']);
});

function wifiOf(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([key]) => /(SignalDbm|LinkQuality)$/.test(key)));
}

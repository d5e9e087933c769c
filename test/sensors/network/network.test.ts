/** Invalid counters, lines and interfaces do not affect their neighbours, and give no rate. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { addDevice, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const WLAN_COUNTERS = /(wlan0:\s+\d+\s+\d+\s+)\d+/;
const INTERVAL_MS = 10_000;

/** Replaces the line of an interface: bytes and packets received and sent. */
function setCounters(host: CapturedHost, name: string, [rx, rxPackets, tx, txPackets]: readonly number[]) {
  const line = `${name}: ${rx} ${rxPackets} 0 0 0 0 0 0 ${tx} ${txPackets} 0 0 0 0 0 0`;
  host.edit('proc/net/dev', new RegExp(`^ *${name}:.*$`, 'm'), line);
}

function rateKeys(values: object, prefix: string): readonly string[] {
  return Object.keys(values).filter((key) => key.startsWith(prefix) && key.endsWith('PerS'));
}

it('an invalid counter costs only its own rate and is logged once', async (t) => {
  for (const counter of ['-1', 'x', '18446744073709551614']) {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.edit('proc/net/dev', WLAN_COUNTERS, (_, head = '') => `${head}${counter}`);
    await pi.sampleAfter(0);
    const values = await pi.sampleAfter(INTERVAL_MS);
    assert.equal(values['netEth0RxErrorsPerS'], 0);
    assert.equal(values['netWlan0RxBytesPerS'], 0);
    assert.equal('netWlan0RxErrorsPerS' in values, false);
    assert.deepEqual(pi.logger.lines, ['warn network']);
  }
});

it('counters that are zero for one sample give no rate in it and after it', async (t) => {
  for (const bytes of [5_000_000_000, 48_000_000, 5000]) {
    const pi = new CapturedHost('raspberry-pi-4', t);
    setCounters(pi, 'wlan0', [bytes, bytes / 1000, bytes, bytes / 1000]);
    await pi.sampleAfter(0);
    setCounters(pi, 'wlan0', [0, 0, 0, 0]);
    assert.deepEqual(rateKeys(await pi.sampleAfter(INTERVAL_MS), 'netWlan0'), []);
    setCounters(pi, 'wlan0', [bytes + 10_000, bytes / 1000 + 10, bytes + 10_000, bytes / 1000 + 10]);
    const back = await pi.sampleAfter(INTERVAL_MS);
    assert.deepEqual(rateKeys(back, 'netWlan0'), [], `${bytes} bytes`);
    assert.equal(back['netEth0RxBytesPerS'], 0);
    setCounters(pi, 'wlan0', [bytes + 20_000, bytes / 1000 + 20, bytes + 20_000, bytes / 1000 + 20]);
    assert.equal((await pi.sampleAfter(INTERVAL_MS))['netWlan0RxBytesPerS'], 1000);
    assert.deepEqual(pi.logger.lines, []);
  }
});

/** By speed of the link as the driver reports it: the highest rate that is reported, bytes/s. */
for (const [speed, bytesPerS] of [
  ['1000', 125e6],
  ['100', 125e6],
  ['10000', 1250e6],
  ['-1', 312.5e6],
] as const) {
  it(`a step above ${bytesPerS / 125e6} Gbit/s gives no rate at a speed of ${speed}`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.write('sys/class/net/eth0/speed', `${speed}\n`);
    const bytes = bytesPerS * 10;
    setCounters(pi, 'eth0', [1e6, 1e5, 1e6, 1e5]);
    await pi.sampleAfter(0);
    setCounters(pi, 'eth0', [1e6 + bytes, 2e5, 1e6, 2e5]);
    assert.equal((await pi.sampleAfter(INTERVAL_MS))['netEth0RxBytesPerS'], bytesPerS);
    setCounters(pi, 'eth0', [1e6 + 3 * bytes, 3e5, 1e6, 3e5]);
    const values = await pi.sampleAfter(INTERVAL_MS);
    assert.equal('netEth0RxBytesPerS' in values, false);
    assert.equal(values['netEth0RxPacketsPerS'], 1e4, 'the packets counted on');
  });
}

it('counters that give no rate for ten samples are logged once', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  for (let round = 0; round < 30; round += 1) {
    setCounters(pi, 'wlan0', [5e9 - round * 1e6, 5e6 - round, 5e9 - round * 1e6, 5e6 - round]);
    const values = await pi.sampleAfter(INTERVAL_MS);
    assert.deepEqual(rateKeys(values, 'netWlan0'), []);
    const lines = pi.logger.lines.filter((line) => line.endsWith(' network'));
    assert.deepEqual(lines, round < 10 ? [] : ['warn network'], `round ${round}`);
  }
});

it('an alias with a colon in its name does not replace its interface', async (t) => {
  const container = new CapturedHost('container', t);
  const alias =
    'eth0:0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0';
  container.edit('proc/net/dev', /^ *eth0:.*$/m, (line = '') => `${line}\n${alias}`);
  await container.sampleAfter(0);
  container.edit('proc/net/dev', '90000', '90500');
  const values = await container.sampleAfter(500);
  assert.equal(values['netEth0RxBytesPerS'], 1000);
  assert.deepEqual(rateKeys(values, 'net').length, 8);
  assert.deepEqual(container.logger.lines, []);
});

it('a line without blank after its colon has rates', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.edit('proc/net/dev', /eth0:\s*/, 'eth0:');
  await pi.sampleAfter(0);
  assert.equal((await pi.sampleAfter(INTERVAL_MS))['netEth0RxBytesPerS'], 0);
});

for (const [what, line] of [
  ['without a name', '1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0'],
  ['of garbage', '\u0000\u00ff%'],
  ['with the name of wlan0', 'wlan0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0'],
] as const) {
  it(`a line ${what} too many does not affect other interfaces`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    await pi.sampleAfter(0);
    pi.write('proc/net/dev', `${pi.read('proc/net/dev')}${line}\n`);
    const values = await pi.sampleAfter(INTERVAL_MS);
    assert.equal(values['netEth0RxBytesPerS'], 0);
    assert.equal('netWlan0RxBytesPerS' in values, !line.startsWith('wlan0'));
    assert.deepEqual(pi.logger.lines, ['warn network']);
  });
}

it('invalid flags of one interface of a container cost only that interface', async (t) => {
  const container = new CapturedHost('container', t);
  container.write('sys/class/net/tunl0/flags', 'x\n');
  await container.sampleAfter(0);
  assert.equal((await container.sampleAfter(INTERVAL_MS))['netEth0RxBytesPerS'], 0);
  assert.deepEqual(container.logger.lines, ['warn network']);
});

it('an invalid state of a link costs neither its speed nor its rates', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.write('sys/class/net/eth0/operstate', 'x\n');
  await pi.sampleAfter(0);
  const values = await pi.sampleAfter(INTERVAL_MS);
  assert.equal('netEth0Up' in values, false);
  assert.equal(values['netEth0SpeedMbitPerS'], 1000);
  assert.equal(values['netEth0CarrierChanges'], 2);
  assert.equal(values['netEth0RxBytesPerS'], 0);
});

it('a number of carrier changes that is lower for one sample is left out', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const seen: unknown[] = [];
  for (const changes of ['2', '0', '2', '1', '1', '4294967293', '4']) {
    pi.write('sys/class/net/eth0/carrier_changes', `${changes}\n`);
    seen.push((await pi.sampleAfter(INTERVAL_MS))['netEth0CarrierChanges']);
  }
  assert.deepEqual(seen, [2, undefined, 2, undefined, 1, undefined, undefined]);
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

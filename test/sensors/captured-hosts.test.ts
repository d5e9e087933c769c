/** The values that each collector reads on captured hosts, and the values it leaves out. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { CapturedHost } from './helpers/captured-host.ts';
import { addDevice } from './helpers/renumber-devices.ts';

const HEADING =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';

/**
 * The values of a Raspberry Pi 4 after two samples two seconds apart, except the size of its file systems.
 */
const EXPECTED = {
  cpuUsePercent: 35,
  cpu0FrequencyMHz: 600,
  load1: 0.21,
  load5: 0.17,
  load15: 0.11,
  threadCount: 231,
  cpuTemperatureC: 48.7,
  memoryUsedPercent: 12.4,
  memoryUsedBytes: (3884136 - 3401820) * 1024,
  memoryAvailableBytes: 3401820 * 1024,
  memoryTotalBytes: 3884136 * 1024,
  swapUsedPercent: 4,
  swapUsedBytes: 4096 * 1024,
  swapTotalBytes: 102396 * 1024,
  pressureMemorySomePercent: 0.1,
  pressureMemoryFullPercent: 0,
  pressureIoSomePercent: 1.8,
  pressureIoFullPercent: 1.1,
  pressureCpuSomePercent: 2.3,
  oomKillCount: 1,
  diskRootReadOnly: false,
  diskBootFirmwareReadOnly: false,
  driveMmcblk0WrittenBytes: 906542 * 512,
  driveMmcblk0ReadBytesPerS: 0,
  driveMmcblk0WrittenBytesPerS: 4096 * 256,
  driveMmcblk0BusyPercent: 40,
  driveMmcblk0Name: 'SC32G',
  driveMmcblk0MadeIn: '03/2024',
  driveMmcblk0Kind: 'SD',
  netEth0RxBytesPerS: 5000,
  netEth0TxBytesPerS: 250,
  netEth0Up: true,
  netEth0SpeedMbitPerS: 1000,
  netEth0CarrierChanges: 2,
  netEth0RxErrorsPerS: 0,
  netWlan0RxBytesPerS: 0,
  netWlan0TxBytesPerS: 0,
  netWlan0Up: true,
  netWlan0SignalDbm: -54,
  netWlan0LinkQuality: 56,
  defaultRouteInterface: 'eth0',
  defaultRouteGateway: '192.0.2.1',
  ipv4Addresses: '192.0.2.17,198.51.100.23',
  ipv6Addresses: '2001:db8::42',
  uptimeS: 23772,
  watchdogReset: false,
  processCount: 4,
  fileHandleCount: 1056,
  piUnderVoltage: false,
  piUnderVoltageOccurred: false,
  piFrequencyCapped: false,
  piFrequencyCappedOccurred: false,
  piThrottled: false,
  piThrottledOccurred: false,
  piSoftTemperatureLimit: false,
  piSoftTemperatureLimitOccurred: false,
};

it('a Raspberry Pi 4 delivers every value at its second sample', async (t) => {
  // On a disk: a file system in memory has no usage that the sensors report.
  const pi = new CapturedHost('raspberry-pi-4', t, tmpdir());
  await pi.sampleAfter(0);
  pi.edit('proc/stat', 'cpu  184362 1201 61840 9263541 10422', 'cpu  184387 1201 61850 9263601 10427');
  pi.edit('proc/net/dev', '48211033', '48221033');
  pi.edit('proc/net/dev', '9120455', '9120955');
  pi.edit('proc/diskstats', '902446 412008 0 96120', '906542 412808 0 96920');
  const values = await pi.sampleAfter(2000);
  for (const [key, value] of Object.entries(EXPECTED)) assert.deepEqual([key, values[key]], [key, value]);
  for (const key of ['Used', 'Free']) assert.ok(Number(values[`diskRoot${key}Bytes`]) > 0, key);
  for (const key of ['diskRootUsedPercent', 'diskBootFirmwareUsedPercent']) {
    assert.ok(Number(values[key]) > 0 && Number(values[key]) <= 100, key);
  }
  assert.deepEqual(pi.logger.lines, []);
});

it('a virtual machine without a thermal zone has no temperature and logs nothing', async (t) => {
  const vm = new CapturedHost('x86-vm', t);
  await vm.sampleAfter(0);
  const values = await vm.sampleAfter(1000);
  assert.equal(values['cpuTemperatureC'], undefined);
  assert.equal(values['netEth0RxBytesPerS'], 0);
  assert.equal(values['netIfb0RxBytesPerS'], undefined);
  assert.equal(values['memoryUsedBytes'], (24684096 - 24262856) * 1024);
  assert.deepEqual(vm.logger.lines, []);
});

it('the first sample has no CPU utilisation and no rates', async (t) => {
  const values = await new CapturedHost('raspberry-pi-4', t).sampleAfter(5000);
  assert.deepEqual(
    Object.keys(values).filter((key) => /^cpu\d*Use|(Bytes|Packets|Errors|Drops)PerS$/.test(key)),
    [],
  );
});

it('CPU utilisation is absent if the counters went back or did not move', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  assert.equal('cpuUsePercent' in (await pi.sampleAfter(1000)), false);
  pi.edit('proc/stat', 'cpu  184362', 'cpu  100');
  assert.equal('cpuUsePercent' in (await pi.sampleAfter(1000)), false);
  pi.edit('proc/stat', 'cpu  100', 'cpu  500');
  assert.equal((await pi.sampleAfter(1000))['cpuUsePercent'], 100);
});

it('guest time counts once and stolen time counts as busy', async (t) => {
  const vm = new CapturedHost('x86-vm', t);
  vm.write('proc/stat', 'cpu  100 0 0 100 0 0 0 0 50 0\n');
  await vm.sampleAfter(0);
  vm.write('proc/stat', 'cpu  110 0 0 170 0 0 0 20 60 0\n');
  assert.equal((await vm.sampleAfter(1000))['cpuUsePercent'], 30);
});

it('used and available memory are absent if the kernel does not report them', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.edit('proc/meminfo', /MemAvailable:.*\n/, '');
  const values = await pi.sampleAfter(0);
  assert.equal('memoryUsedBytes' in values || 'memoryAvailableBytes' in values, false);
  assert.equal(values['swapUsedBytes'], 4096 * 1024);
});

it('an interface has no rates in the round after a counter reset', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  pi.edit('proc/net/dev', /eth0:.*/, 'eth0: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0');
  const reset = await pi.sampleAfter(1000);
  assert.equal('netEth0RxBytesPerS' in reset || 'netEth0TxBytesPerS' in reset, false);
  assert.equal(reset['netWlan0RxBytesPerS'], 0);
  pi.edit('proc/net/dev', 'eth0: 100', 'eth0: 1100');
  assert.equal((await pi.sampleAfter(1000))['netEth0RxBytesPerS'], 1000);
});

it('a new interface has rates from its second sample, a removed one has none', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  mkdirSync(join(pi.root, 'sys/class/net/wwan0/device'), { recursive: true });
  pi.write('proc/net/dev', `${HEADING} wwan0:7000 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`);
  const appeared = await pi.sampleAfter(1000);
  assert.deepEqual(
    Object.keys(appeared).filter((key) => /^net.*BytesPerS$/.test(key)),
    [],
  );
  pi.edit('proc/net/dev', '7000', '9000');
  const settled = await pi.sampleAfter(1000);
  assert.equal(settled['netWwan0RxBytesPerS'], 2000);
  assert.equal('netEth0RxBytesPerS' in settled, false);
  assert.deepEqual(pi.logger.lines, []);
});

it('a container reports its interfaces that are up, without loopback', async (t) => {
  const container = new CapturedHost('container', t);
  await container.sampleAfter(0);
  container.edit('proc/net/dev', '90000', '90500');
  const values = await container.sampleAfter(500);
  assert.deepEqual(
    Object.entries(values).filter(([key]) => /^net.*BytesPerS$/.test(key)),
    [
      ['netEth0RxBytesPerS', 1000],
      ['netEth0TxBytesPerS', 0],
    ],
  );
});

it('a host with 100 interfaces reports 16', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const names = Array.from({ length: 100 }, (_, index) => `can${index}`);
  for (const name of names) mkdirSync(join(pi.root, `sys/class/net/${name}/device`), { recursive: true });
  pi.write(
    'proc/net/dev',
    HEADING + names.map((name) => `${name}: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n`).join(''),
  );
  await pi.sampleAfter(0);
  const values = await pi.sampleAfter(1000);
  assert.equal(Object.keys(values).filter((key) => /^net.*BytesPerS$/.test(key)).length, 32);
});

it('an interface name with punctuation makes a camelCase key', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  mkdirSync(join(pi.root, 'sys/class/net/wan-lte.1/device'), { recursive: true });
  pi.edit('proc/net/dev', 'wlan0:', 'wan-lte.1:');
  await pi.sampleAfter(0);
  assert.equal((await pi.sampleAfter(1000))['netWanLte1RxBytesPerS'], 0);
});

it('the process count is absent if process 1 is hidden', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.remove('proc/1');
  assert.equal('processCount' in (await pi.sampleAfter(0)), false);
  assert.deepEqual(pi.logger.lines, []);
});

it('the CPU temperature of an Intel PC is that of its package', async (t) => {
  const pc = new CapturedHost('x86-vm', t);
  addDevice(pc, 'sys/class/thermal/thermal_zone0', { type: 'acpitz', temp: '27800' });
  addDevice(pc, 'sys/class/hwmon/hwmon0', { name: 'nvme', temp1_input: '31000' });
  addDevice(pc, 'sys/class/hwmon/hwmon1', {
    name: 'coretemp',
    temp2_label: 'Core 0',
    temp2_input: '70000',
    temp3_label: 'Package id 0',
    temp3_input: '52000',
  });
  assert.equal((await pc.sampleAfter(0))['cpuTemperatureC'], 52);
});

it('the CPU temperature of an AMD PC is Tdie if it exists', async (t) => {
  const pc = new CapturedHost('x86-vm', t);
  addDevice(pc, 'sys/class/hwmon/hwmon10', {
    name: 'k10temp',
    temp1_label: 'Tctl',
    temp1_input: '66125',
    temp2_label: 'Tdie',
    temp2_input: '56125',
  });
  assert.equal((await pc.sampleAfter(0))['cpuTemperatureC'], 56.1);
});

it('a CPU temperature below zero is reported', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.write('sys/class/thermal/thermal_zone0/temp', '-12500\n');
  assert.equal((await pi.sampleAfter(0))['cpuTemperatureC'], -12.5);
});

it('a thermal driver that loads late is found within a minute', async (t) => {
  const vm = new CapturedHost('x86-vm', t);
  await vm.sampleAfter(0);
  addDevice(vm, 'sys/class/thermal/thermal_zone0', { type: 'x86_pkg_temp', temp: '41000' });
  assert.equal((await vm.sampleAfter(60_000))['cpuTemperatureC'], 41);
});

it('a renumbered thermal zone is found again after one missing value', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  pi.remove('sys/class/thermal/thermal_zone0');
  addDevice(pi, 'sys/class/thermal/thermal_zone3', { type: 'cpu-thermal', temp: '50000' });
  assert.equal('cpuTemperatureC' in (await pi.sampleAfter(1000)), false);
  assert.equal((await pi.sampleAfter(1000))['cpuTemperatureC'], 50);
  assert.deepEqual(pi.logger.lines, ['warn temperature', 'info temperature']);
});

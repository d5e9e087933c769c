/**
 * 1-Wire thermometers: valid and invalid scratchpads, and slow thermometers that neither delay nor mix up a
 * sample.
 */

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type HostFiles, openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { onewire } from '../../../src/sensors/hardware/onewire.ts';
import { parseTemperature } from '../../../src/sensors/hardware/onewire-scratchpad.ts';
import { DEADLINE_MS, openSampler } from '../../../src/sensors/sampler.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { CapturedHost, copyHost, RecordingSensorLogger } from '../helpers/captured-host.ts';
import { addDevice, valuesWithPrefix } from '../helpers/renumber-devices.ts';

const NAME = '28-0316a2794bff';
const FILE = `sys/bus/w1/devices/${NAME}/w1_slave`;
const KEY = 'oneWire280316a2794bffTemperatureC';

function scratchpadText(bytes: string, verdict: 'YES' | 'NO', millidegrees: number | string): string {
  return `${bytes} : crc=57 ${verdict}\n${bytes} t=${millidegrees}\n`;
}

it('a thermometer is named by its serial number', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'oneWire'), { [KEY]: 23.125 });
  assert.deepEqual(pi.logger.lines, []);
});

const GENUINE_POWER_ON = '50 05 4b 46 7f ff 0c 10 1c';
const CLONE_AT_85 = '50 05 4b 46 7f ff 00 10 a5';
const ANY = '72 01 4b 46 7f ff 0e 10 57';

/** A case, its scratchpad, the previous temperature, and the expected temperature or error. */
const CASES: readonly (readonly [string, string, number | undefined, number | RegExp, string?])[] = [
  ['a temperature', scratchpadText(ANY, 'YES', 23125), undefined, 23.125],
  ['a temperature below zero', scratchpadText('5e ff 4b 46 7f ff 02 10 e3', 'YES', -10125), 20, -10.125],
  ['a wrong checksum', scratchpadText(ANY, 'NO', 23125), 23, /wrong checksum: check the wires/],
  ['only zeros', scratchpadText('00 00 00 00 00 00 00 00 00', 'YES', 0), 1, /only zeros/],
  ['zero degrees', scratchpadText('00 00 4b 46 7f ff 10 10 36', 'YES', 0), 1, 0],
  [
    'the power-on value of a genuine DS18B20',
    scratchpadText(GENUINE_POWER_ON, 'YES', 85000),
    84.9,
    /its power-on value/,
  ],
  [
    '85 °C of a clone at the first reading',
    scratchpadText(CLONE_AT_85, 'YES', 85000),
    undefined,
    /its power-on value/,
  ],
  ['85 °C of a clone after 20 °C', scratchpadText(CLONE_AT_85, 'YES', 85000), 20, /its power-on value/],
  ['85 °C of a clone after 84.5 °C', scratchpadText(CLONE_AT_85, 'YES', 85000), 84.5, 85],
  [
    '85.062 °C at the first reading',
    scratchpadText('51 05 4b 46 7f ff 0f 10 22', 'YES', 85062),
    undefined,
    85.062,
  ],
  [
    'a temperature outside the measuring range',
    scratchpadText(ANY, 'YES', 127937),
    20,
    /127.937 °C, outside its measuring range/,
  ],
  ['the temperature of a thermocouple', scratchpadText(ANY, 'YES', 640500), 20, 640.5, '3b-0000001921e8'],
  ['no temperature', scratchpadText(ANY, 'YES', ''), 20, /the temperature of 1-Wire thermometer/],
  ['a truncated text', `${ANY} : crc=57 YES\n${ANY} t=23`, 20, /is truncated/],
  ['another text', 'N/A\n', 20, /returned no checksum/],
];

for (const [what, text, previous, expected, name = NAME] of CASES) {
  it(`${what} is ${typeof expected === 'number' ? `read as ${expected} °C` : 'rejected'}`, () => {
    if (typeof expected === 'number') assert.equal(parseTemperature(name, text, previous), expected);
    else assert.throws(() => parseTemperature(name, text, previous), expected);
  });
}

it('a failing thermometer is absent and logged once; the others continue', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  addDevice(pi, 'sys/bus/w1/devices/10-000802a1b2c3', {
    w1_slave: scratchpadText(ANY, 'YES', 20500).trimEnd(),
  });
  pi.write(FILE, scratchpadText(ANY, 'NO', 23125));
  const rest = { oneWire10000802a1b2c3TemperatureC: 20.5 };
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(0), 'oneWire'), rest);
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(1000), 'oneWire'), rest);
  assert.deepEqual(pi.logger.lines, ['warn onewire']);
  pi.write(FILE, scratchpadText(ANY, 'YES', 23125));
  assert.equal((await pi.sampleAfter(1000))[KEY], 23.125);
  assert.deepEqual(pi.logger.lines, ['warn onewire', 'info onewire']);
});

it('a removed thermometer is absent and not logged; a new one is found', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  await pi.sampleAfter(0);
  pi.remove(`sys/bus/w1/devices/${NAME}`);
  assert.deepEqual(valuesWithPrefix(await pi.sampleAfter(1000), 'oneWire'), {});
  addDevice(pi, 'sys/bus/w1/devices/42-00000a1b2c3d', {
    w1_slave: scratchpadText(ANY, 'YES', 1000).trimEnd(),
  });
  addDevice(pi, 'sys/bus/w1/devices/26-00000a1b2c3d', { w1_slave: 'a battery monitor' });
  const found = valuesWithPrefix(await pi.sampleAfter(300_000), 'oneWire');
  assert.deepEqual(found, { oneWire4200000a1b2c3dTemperatureC: 1 });
  assert.deepEqual(pi.logger.lines, []);
});

it('a sample waits for two thermometers and takes the last values of others', async (t) => {
  const { bus, sampler, serials } = slowBus(t, 4);
  const first = sampler.sample();
  await bus.respond(20_000);
  await bus.respond(20_000);
  assert.deepEqual(celsius(await first, serials), [20, 20, undefined, undefined]);
  await bus.respond(20_000);
  assert.deepEqual(
    celsius(await sampler.sample(), serials),
    [20, 20, 20, undefined],
    'no second round begins',
  );
  await bus.respond(20_000);
  const second = sampler.sample();
  await bus.respond(21_000);
  await bus.respond(21_000);
  assert.deepEqual(celsius(await second, serials), [21, 21, 20, 20]);
  await bus.respond(21_000);
  await bus.respond(21_000);
  assert.equal(bus.readCount, 8);
});

it('a hung bus delays a sample by two seconds and affects only thermometers', async (t) => {
  const { clock, logger, sampler, serials } = slowBus(t, 2);
  const sample = sampler.sample();
  await waitTurns();
  await clock.advance(DEADLINE_MS);
  assert.deepEqual(celsius(await sample, serials), [undefined, undefined]);
  assert.deepEqual(logger.lines, ['warn onewire']);
});

it('a hung round drops the values of all thermometers after a minute', async (t) => {
  const { bus, clock, logger, sampler, serials } = slowBus(t, 3);
  const first = sampler.sample();
  await bus.respond(20_000);
  await bus.respond(20_000);
  assert.deepEqual(celsius(await first, serials), [20, 20, undefined]);
  await clock.advance(59_000);
  assert.deepEqual(celsius(await sampler.sample(), serials), [20, 20, undefined]);
  await clock.advance(1000);
  assert.deepEqual(celsius(await sampler.sample(), serials), [undefined, undefined, undefined]);
  assert.deepEqual(logger.lines, ['warn onewire']);
  await bus.respond(22_000);
  const again = sampler.sample();
  await bus.respond(23_000);
  await bus.respond(23_000);
  assert.deepEqual(celsius(await again, serials), [23, 23, 22]);
});

function celsius(values: Readonly<Record<string, unknown>>, serials: readonly string[]): readonly unknown[] {
  return serials.map((serial) => values[`oneWire${serial.replace('-', '')}TemperatureC`]);
}

/** A bus of thermometers whose reads the test completes one after another. */
function slowBus(t: TestContext, count: number) {
  const serials = Array.from({ length: count }, (_, index) => `28-00000000000${index}`);
  const pendingReads: ((text: string) => void)[] = [];
  const bus = {
    readCount: 0,
    /** Completes the pending read, and waits for its consequences. */
    async respond(millidegrees: number): Promise<void> {
      await waitTurns();
      const complete = pendingReads.shift();
      assert.ok(complete !== undefined, 'a read is pending');
      complete(scratchpadText(ANY, 'YES', millidegrees));
      await waitTurns();
    },
  };
  const hostFiles: HostFiles = {
    ...openHostFiles(copyHost('x86-vm', t)),
    list: () => serials,
    readBlocking: () => {
      bus.readCount += 1;
      return new Promise((resolve) => pendingReads.push(resolve));
    },
  };
  const clock = new VirtualClock();
  const logger = new RecordingSensorLogger();
  return { bus, clock, logger, sampler: openSampler([onewire], hostFiles, clock, logger), serials };
}

async function waitTurns(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await nextTurn();
}

it('a thermometer that goes and comes back has one line for its failure', async (t) => {
  const pi = new CapturedHost('raspberry-pi-zero-2w', t);
  const lines = () => pi.logger.lines.filter((line) => line.endsWith(' onewire'));
  const good = pi.read(FILE);
  const present = async (rounds: number) => {
    let count = 0;
    for (let round = 0; round < rounds; round += 1) count += KEY in (await pi.sampleAfter(10_000)) ? 1 : 0;
    return count;
  };
  assert.equal(await present(3), 3);
  pi.write(FILE, scratchpadText(ANY, 'NO', 23125));
  assert.equal(await present(1), 0);
  pi.remove(`sys/bus/w1/devices/${NAME}`);
  assert.equal(await present(60), 0);
  assert.deepEqual(lines(), ['warn onewire'], 'what is absent has not been repaired');
  addDevice(pi, `sys/bus/w1/devices/${NAME}`, { w1_slave: good.trimEnd() });
  assert.ok((await present(30)) > 0, 'back within five minutes');
  await present(30);
  assert.deepEqual(lines(), ['warn onewire', 'info onewire']);
});

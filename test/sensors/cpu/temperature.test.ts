/** The temperature of the CPU: a zone that hangs, fails, or answers nonsense. */

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectors } from '../../../src/sensors/catalogue.ts';
import { load } from '../../../src/sensors/cpu/load.ts';
import { temperature } from '../../../src/sensors/cpu/temperature.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { DEADLINE_MS, openSampler } from '../../../src/sensors/sampler.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { CapturedHost, copyHost, RecordingSensorLogger } from '../helpers/captured-host.ts';
import { type Answer, fails, faultyFiles } from '../helpers/faulty-files.ts';
import { hangFile } from '../helpers/hung-files.ts';
import { addDevice } from '../helpers/renumber-devices.ts';

const ZONE = 'sys/class/thermal/thermal_zone0/temp';

const timeout = 20_000;

it('a zone that never answers costs a sample 2 s and only its own value', { timeout }, async (t) => {
  const root = copyHost('raspberry-pi-4', t);
  hangFile(t, `${root}/${ZONE}`);
  const { clock, logger, sample } = setup(root, collectors);
  const first = sample();
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  await clock.advance(DEADLINE_MS);
  const values = await first;
  assert.equal('cpuTemperatureC' in values, false);
  assert.equal(values['load1'], 0.21);
  assert.equal(values['diskRootUsedPercent'] !== undefined, true);
  for (let round = 0; round < 10; round += 1) await sample();
  assert.deepEqual(logger.lines, ['warn temperature']);
});

it('two devices that hang for good do not cost the temperature of the CPU', { timeout }, async (t) => {
  const host = new CapturedHost('raspberry-pi-4', t);
  const hostFiles = openHostFiles(host.root);
  for (const number of [7, 8]) {
    const chip = `sys/class/hwmon/hwmon${number}`;
    addDevice(host, chip, { name: 'chip', temp1_input: '1' });
    hangFile(t, `${host.root}/${chip}/temp1_input`);
    void hostFiles.readBlocking(`${chip}/temp1_input`);
  }
  const sampler = openSampler([temperature], hostFiles, new VirtualClock(), new RecordingSensorLogger());
  assert.equal((await sampler.sample())['cpuTemperatureC'], 48.7);
});

it('a nonsense temperature is absent and logged', async (t) => {
  const { series } = seriesOf(t, ['48000', '-650788984', '48000']);
  const { values, lines } = await series();
  assert.deepEqual(values, [48, undefined, 48]);
  assert.deepEqual(lines, ['warn temperature', 'info temperature']);
});

it('85 °C between two other temperatures is a power-on value', async (t) => {
  const { series } = seriesOf(t, ['48000', '85000', '48000']);
  const { values, lines } = await series();
  assert.deepEqual(values, [48, undefined, 48]);
  assert.deepEqual(lines, ['warn temperature', 'info temperature']);
});

it('85 °C is real if it stays, or if the CPU was as warm before', async (t) => {
  assert.deepEqual((await seriesOf(t, ['48000', '85000', '85000', '85000']).series()).values, [
    48,
    undefined,
    85,
    85,
  ]);
  const warm = await seriesOf(t, ['72000', '85000', '84000']).series();
  assert.deepEqual(warm, { values: [72, 85, 84], lines: [] });
  assert.deepEqual((await seriesOf(t, ['48000', '84000', '86000']).series()).values, [48, 84, 86]);
});

for (const code of ['EINVAL', 'ENODATA', 'EAGAIN', 'EIO', 'ETIMEDOUT']) {
  it(`a zone that answers ${code} for an hour is logged once and searched once a minute`, async (t) => {
    const root = copyHost('raspberry-pi-4', t);
    const answers = new Map<string, Answer>([[ZONE, () => fails(code)]]);
    const { clock, logger, sample, searches } = setup(root, [temperature, load], answers);
    for (let round = 0; round < 360; round += 1) {
      assert.deepEqual(Object.keys(await sample()), ['load1', 'load5', 'load15', 'threadCount']);
      await clock.advance(10_000);
    }
    assert.deepEqual(logger.lines, ['warn temperature']);
    assert.ok(searches() <= 2 * 62, `${searches()} directories listed in an hour`);
    answers.set(ZONE, () => '47100\n');
    assert.equal((await sample())['cpuTemperatureC'], 47.1);
    await sample();
    assert.deepEqual(logger.lines, ['warn temperature', 'info temperature']);
  });
}

it('a failing zone is replaced by a chip that measures the CPU', async (t) => {
  const host = new CapturedHost('x86-gateway', t);
  const zone = 'sys/class/thermal/thermal_zone2/temp';
  const answers = new Map<string, Answer>([[zone, () => fails('EINVAL')]]);
  const { clock, logger, sample } = setup(host.root, [temperature], answers);
  host.edit('sys/class/hwmon/hwmon3/temp1_input', /.*/, '53250');
  for (let round = 0; round < 30; round += 1) {
    assert.deepEqual(await sample(), { cpuTemperatureC: 53.3 });
    await clock.advance(10_000);
  }
  assert.deepEqual(logger.lines, ['warn temperature'], 'the zone fails, although the value is there');
  answers.delete(zone);
  assert.deepEqual(await sample(), { cpuTemperatureC: 52 });
  await sample();
  assert.deepEqual(logger.lines, ['warn temperature', 'info temperature']);
});

function seriesOf(t: TestContext, texts: readonly string[]) {
  const root = copyHost('raspberry-pi-4', t);
  let text = '';
  const { clock, logger, sample } = setup(root, [temperature], new Map([[ZONE, () => `${text}\n`]]));
  return {
    async series() {
      const values: unknown[] = [];
      for (text of texts) {
        values.push((await sample())['cpuTemperatureC']);
        await clock.advance(10_000);
      }
      return { values, lines: logger.lines };
    },
  };
}

function setup(root: string, sensors = collectors, answers: ReadonlyMap<string, Answer> = new Map()) {
  const clock = new VirtualClock();
  const logger = new RecordingSensorLogger();
  const { hostFiles, searches } = faultyFiles(openHostFiles(root), answers);
  const sampler = openSampler(sensors, hostFiles, clock, logger);
  return { clock, logger, searches, sample: () => sampler.sample() };
}

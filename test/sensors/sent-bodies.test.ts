/** The bodies that leave the agent: no number with an exponent, and no text that the server takes for a number. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { encodeAttributes, encodeTelemetry } from '../../src/core/delivery/encode.ts';
import type { SensorTuning } from '../../src/core/model/config.ts';
import type { FileSensor } from '../../src/core/model/custom-sensor.ts';
import { deliverable, type Value } from '../../src/core/model/reading.ts';
import { programValues } from '../../src/core/sampling/program-output.ts';
import { DEFAULT_TUNING } from '../../src/sensors/runtime/tuning.ts';
import { openSensors } from '../../src/sensors/sampler.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { repetitions } from '../repetitions.ts';
import { copyHost, RecordingSensorLogger } from './helpers/captured-host.ts';

const EXPONENT = /e[-+]?\d/i;
const TS = 1_700_000_000_000;

it('a very small number of a file or a program is 0 or six decimals', async (t) => {
  const { body } = await sampleBody(t, {
    file: '0.0000004\n',
    program: '{"x": 5e-7, "y": 4e-7, "z": -4e-7}',
  });
  assert.equal(body, `[{"ts":${TS},"values":{"tank":0,"ownX":0.000001,"ownY":0,"ownZ":0}}]`);
});

it('a scale of a millionth makes no exponent', async (t) => {
  const scale = new Map([['*', 1e-6]]);
  const { body } = await sampleBody(t, { file: '0.4\n', program: 'x=0.6\ny=12', tuning: { scale } });
  assert.equal(body, `[{"ts":${TS},"values":{"tank":0,"ownX":0.000001,"ownY":0.000012}}]`);
});

it('a very large number is exact or absent', async (t) => {
  const program = '{"max": 9007199254740991, "more": 9007199254740993, "huge": 1e21, "zero": -0}';
  const { body } = await sampleBody(t, { file: '1e15\n', program });
  assert.equal(
    body,
    `[{"ts":${TS},"values":{"tank":1000000000000000,"ownMax":9007199254740991,"ownZero":0}}]`,
  );
  const scale = new Map([['*', 1e12]]);
  const scaled = await sampleBody(t, { file: '1e15\n', program: 'x=9000000000', tuning: { scale } });
  assert.equal(scaled.body, `[]`);
});

it('texts of a program that read as numbers do not leave as bare texts', async (t) => {
  const program = '{"a": "1e5", "b": "0x10", "c": "1d", "d": "00012345", "e": "NaN", "f": "eco"}';
  const { body } = await sampleBody(t, { program });
  const values = '"ownA":100000,"ownB":"ownB 0x10","ownC":"ownC 1d","ownD":"ownD 00012345","ownF":"eco"';
  assert.equal(body, `[{"ts":${TS},"values":{${values}}}]`);
  const renamed = await sampleBody(t, {
    program: 'mode=1f',
    tuning: { rename: new Map([['ownMode', 'mode']]) },
  });
  assert.equal(renamed.body, `[{"ts":${TS},"values":{"mode":"mode 1f"}}]`);
});

it('an interface and a card named like numbers do not leave as bare texts', async (t) => {
  const root = copyHost('raspberry-pi-4', t);
  const route = '1e5\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n';
  writeFileSync(join(root, 'proc/net/route'), `Iface\tDestination\tGateway\n${route}`);
  writeFileSync(join(root, 'sys/class/mmc_host/mmc0/mmc0:aaaa/name'), '0x10\n');
  const sensors = openSensors({ root, clock: new VirtualClock(), log: new RecordingSensorLogger() });
  const [body = ''] = encodeTelemetry([{ values: await sensors.sample() }], 100_000).bodies;
  assert.ok(body.includes('"defaultRouteInterface":"defaultRouteInterface 1e5"'), body);
  assert.ok(body.includes('"driveMmcblk0Name":"driveMmcblk0Name 0x10"'), body);
});

it('no deliverable number is written with an exponent, whatever it is', () => {
  const numbers = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ min: -1e-5, max: 1e-5 }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-d]{1,6}$/), numbers), (raw) => {
      const values = deliverable(raw);
      for (const { bodies } of [encodeTelemetry([{ tsMs: TS, values }], 1e6), encodeAttributes(values, 1e6)])
        for (const body of bodies) assert.doesNotMatch(body, EXPONENT);
    }),
    { seed: 20_261_130, numRuns: repetitions(2_000) },
  );
});

interface Source {
  readonly file?: string;
  readonly program: string;
  readonly tuning?: Partial<SensorTuning>;
}

/** The body of one sample with the values of a file sensor `tank` and of a program `own`. */
async function sampleBody(t: TestContext, { file, program, tuning }: Source) {
  const root = copyHost('x86-vm', t);
  if (file !== undefined) writeFileSync(join(root, 'tank'), file);
  const tank: FileSensor = { kind: 'file', name: 'tank', path: '/tank', everyMs: 10, scale: 1, offset: 0 };
  const sensors = openSensors({
    root,
    clock: new VirtualClock(),
    log: new RecordingSensorLogger(),
    files: file === undefined ? [] : [tank],
    tuning: { ...DEFAULT_TUNING, selection: { profile: 'minimal', on: [], off: BUILT_IN }, ...tuning },
    polledValues: () => programValues(program, { name: 'own' }).values,
  });
  const values: Readonly<Record<string, Value>> = await sensors.sample();
  const [body = '[]'] =
    Object.keys(values).length === 0 ? [] : encodeTelemetry([{ tsMs: TS, values }]).bodies;
  assert.doesNotMatch(body.replaceAll(/"[^"]*"/g, '""'), EXPONENT);
  return { body };
}

/** The sensors of profile minimal. */
const BUILT_IN = ['cpu*', 'memory*', 'disk*', 'uptime*', 'load*', 'swap*', 'net*', 'temperature'];

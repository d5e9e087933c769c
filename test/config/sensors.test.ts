/** The table [sensors]: valid values, problems and warnings. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changedTables } from '../../src/config/differences.ts';
import { ConfigFixture, SERVER } from './config-fixture.ts';

const names = {
  sensors: ['cpu', 'network', 'hwmon', 'temperature'],
  keys: ['cpuUsePercent', 'net*RxBytesPerS', 'tempBoard', 'cpuTemperatureC'],
};

function sensors(lines: string) {
  using fixture = new ConfigFixture();
  return fixture.load(`${SERVER}[sensors]\n${lines}\n`, { names });
}

describe('the table [sensors]', () => {
  it('defaults to the default profile and empty lists', () => {
    const { config, warnings } = sensors('');
    assert.deepEqual(config.sensors, {
      selection: { profile: 'default', on: [], off: [] },
      everyMs: new Map(),
      rename: new Map(),
      scale: new Map(),
      offset: new Map(),
      custom: [],
    });
    assert.deepEqual(warnings, []);
  });

  it('is read with all keys', () => {
    const { config, warnings } = sensors(`profile = "minimal"
on = "net*, hwmon"
off = "netDocker0*"
interval = "hwmon=60s,network = 5m"
rename = "tempBoard=boilerTemperatureC"
scale = "net*=0.001, cpuTemperatureC=-1.8"
offset = "cpuTemperatureC=32"`);
    assert.deepEqual(config.sensors, {
      selection: { profile: 'minimal', on: ['net*', 'hwmon'], off: ['netDocker0*'] },
      everyMs: new Map([
        ['hwmon', 60_000],
        ['network', 300_000],
      ]),
      rename: new Map([['tempBoard', 'boilerTemperatureC']]),
      scale: new Map([
        ['net*', 0.001],
        ['cpuTemperatureC', -1.8],
      ]),
      offset: new Map([['cpuTemperatureC', 32]]),
      custom: [],
    });
    assert.deepEqual(warnings, []);
  });

  it('changes the configuration only if its content differs', () => {
    const [one, other] = [sensors('off = "cpu"').config, sensors('off = "hwmon"').config];
    assert.deepEqual(changedTables(one, other), ['sensors']);
    assert.deepEqual(changedTables(one, sensors('off = " cpu "').config), []);
  });
});

describe('problems in [sensors]', () => {
  const long = 'k'.repeat(65);
  const many = Array.from({ length: 65 }, (_, index) => `k${index}`);
  const invalid: readonly [line: string, what: RegExp][] = [
    ['profile = "all"', /not an accepted value; allowed: minimal \| default \| full/],
    ['profile = "ful"', /did you mean "full"/],
    ['profil = "full"', /sensors\.profil is not a Firstlight key; did you mean sensors\.profile/],
    ['on = "net?"', /an invalid part 1 \(expected a name or glob\); allowed: at most 64 names/],
    ['on = "cpu,,load"', /invalid part 2/],
    ['off = ["cpu"]', /is a list, not a list of names in quotes/],
    [`off = "${long}"`, /a name that is too long in part 1/],
    [`off = "${many.join()}"`, /more than 64 names/],
    ['interval = "hwmon=60"', /an invalid part 1 \(expected sensor=duration\)/],
    ['interval = "hwmon"', /an invalid part 1 \(expected sensor=duration\)/],
    ['interval = "cpu=60s, hwmon=999ms"', /an interval below 1s in part 2/],
    ['interval = "hwmon=25h"', /an interval above 24h in part 1/],
    ['interval = "hwmom=60s"', /names hwmom, but no sensor has that name; did you mean hwmon\?/],
    ['interval = "hwmon=60s, hwmon=5m"', /repeats a key in part 2/],
    ['rename = "tempBoard"', /an invalid part 1 \(expected key=new name\)/],
    ['rename = "tempBoard=1st"', /an invalid new name in part 1/],
    ['rename = "tempBoard=a b"', /an invalid new name in part 1/],
    [`rename = "tempBoard=${long}"`, /an invalid new name in part 1/],
    ['rename = "tempBoard=ts"', /a reserved name of the server \(ts\) in part 1/],
    ['rename = "tempBoard=values"', /a reserved name of the server/],
    ['rename = "tempBoard=x, cpuTemperatureC=x"', /repeats a new name in part 2/],
    ['rename = "tempBoard=cpuUsePercent"', /uses the name cpuUsePercent, which another key has/],
    ['rename = "tempBoard=netEth0RxBytesPerS"', /uses the name netEth0RxBytesPerS, which another key has/],
    ['rename = "tempBoard=lostReadings"', /uses the name lostReadings, which another key has/],
    ['scale = "net*=0"', /a factor of 0 in part 1/],
    ['scale = "net*=1e3"', /an invalid part 1 \(expected key=number\)/],
    ['scale = "net*=1000000000001"', /an invalid part 1 \(expected key=number\)/],
    ['scale = "net*=0.001, net*=1"', /repeats a key in part 2/],
    ['offset = "cpuTemperatureC=+1"', /an invalid part 1 \(expected key=number\)/],
    ['offset = "cpuTemperatureC=NaN"', /an invalid part 1 \(expected key=number\)/],
    ['offset = 3', /is a bare number, not a list of key=number in quotes/],
  ];
  for (const [line, what] of invalid) {
    it(`reports the problem of ${line.slice(0, 56)}`, () => {
      using fixture = new ConfigFixture();
      const sentences = fixture.sentences(`${SERVER}[sensors]\n${line}\n`, { names });
      assert.equal(sentences.length, 1, sentences.join('\n'));
      assert.match(sentences[0] ?? '', what);
      assert.match(sentences[0] ?? '', /^firstlight\.toml:4: sensors\./);
    });
  }

  it('accepts two keys that exchange their names', () => {
    const { config } = sensors('rename = "tempBoard=cpuTemperatureC, cpuTemperatureC=tempBoard"');
    assert.equal(config.sensors.rename.get('tempBoard'), 'cpuTemperatureC');
  });

  it('names the variable that has the problem', () => {
    using fixture = new ConfigFixture();
    const environment = { FIRSTLIGHT_SENSORS_INTERVAL: 'hwmom=60s' };
    const [sentence = ''] = fixture.sentences(SERVER, { names, environment });
    assert.match(sentence, /^FIRSTLIGHT_SENSORS_INTERVAL: sensors\.interval = "hwmom=60s" names hwmom/);
    assert.match(sentence, /example: FIRSTLIGHT_SENSORS_INTERVAL=filesystem=5m/);
  });
});

describe('unknown names in [sensors]', () => {
  const rows: readonly [line: string, warning: string | undefined][] = [
    ['off = "hwmn"', 'sensors.off names hwmn, but no sensor or key has that name; did you mean hwmon?'],
    ['on = "zz*"', 'sensors.on names zz*, but no sensor or key has that name'],
    ['off = "netEth*, *RxBytesPerS, hwmon"', undefined],
    [
      'rename = "tempBord=x"',
      'sensors.rename names tempBord, but no sensor or key has that name; did you mean tempBoard?',
    ],
    [
      'scale = "cpuTemperature=2"',
      'sensors.scale names cpuTemperature, but no sensor or key has that name; did you mean cpuTemperatureC?',
    ],
    ['offset = "cpu*=2"', undefined],
  ];
  for (const [line, warning] of rows) {
    it(`checks the names in ${line}`, () => {
      const { warnings } = sensors(line);
      const expected = warning === undefined ? [] : [`firstlight.toml:4: ${warning}`];
      assert.deepEqual(
        warnings.map((each) => each.replace(/^.*\//, '')),
        expected,
      );
    });
  }
});

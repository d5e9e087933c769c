/** The table [sensors]: what is taken, what is refused and how it is told, and what is only worth a warning. */

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
  it('left out is the default profile and nothing else', () => {
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

  it('is taken as it is written', () => {
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

  it('that says another thing is another configuration', () => {
    const [one, other] = [sensors('off = "cpu"').config, sensors('off = "hwmon"').config];
    assert.deepEqual(changedTables(one, other), ['sensors']);
    assert.deepEqual(changedTables(one, sensors('off = " cpu "').config), []);
  });
});

describe('what is wrong in [sensors] is told with place, value, bound and example', () => {
  const long = 'k'.repeat(65);
  const many = Array.from({ length: 65 }, (_, index) => `k${index}`);
  const wrong: readonly [line: string, what: RegExp][] = [
    ['profile = "all"', /none of the choices; allowed minimal \| default \| full/],
    ['profile = "ful"', /did you mean "full"/],
    ['profil = "full"', /sensors\.profil is no key of ours; did you mean sensors\.profile/],
    ['on = "net?"', /something other than a name or a glob as part 1; allowed at most 64 names/],
    ['on = "cpu,,load"', /as part 2/],
    ['off = ["cpu"]', /is a list, not a list of names in quotes/],
    [`off = "${long}"`, /a name that is too long as part 1/],
    [`off = "${many.join()}"`, /more than 64 names/],
    ['interval = "hwmon=60"', /something other than sensor=duration as part 1/],
    ['interval = "hwmon"', /something other than sensor=duration as part 1/],
    ['interval = "cpu=60s, hwmon=999ms"', /an interval below 1s as part 2/],
    ['interval = "hwmon=25h"', /an interval above 24h as part 1/],
    ['interval = "hwmom=60s"', /names hwmom, which is no sensor; did you mean hwmon\?/],
    ['interval = "hwmon=60s, hwmon=5m"', /a key for the second time as part 2/],
    ['rename = "tempBoard"', /something other than key=new name as part 1/],
    ['rename = "tempBoard=1st"', /a new name that is none as part 1/],
    ['rename = "tempBoard=a b"', /a new name that is none as part 1/],
    [`rename = "tempBoard=${long}"`, /a new name that is none as part 1/],
    ['rename = "tempBoard=ts"', /a name the server keeps for itself \(ts\) as part 1/],
    ['rename = "tempBoard=values"', /keeps for itself/],
    ['rename = "tempBoard=x, cpuTemperatureC=x"', /gives a name for the second time as part 2/],
    ['rename = "tempBoard=cpuUsePercent"', /gives the name cpuUsePercent, which another key has/],
    ['rename = "tempBoard=netEth0RxBytesPerS"', /gives the name netEth0RxBytesPerS, which another key has/],
    ['rename = "tempBoard=lostReadings"', /gives the name lostReadings, which another key has/],
    ['scale = "net*=0"', /a factor of 0 as part 1/],
    ['scale = "net*=1e3"', /something other than key=number as part 1/],
    ['scale = "net*=1000000000001"', /something other than key=number as part 1/],
    ['scale = "net*=0.001, net*=1"', /second time as part 2/],
    ['offset = "cpuTemperatureC=+1"', /something other than key=number as part 1/],
    ['offset = "cpuTemperatureC=NaN"', /something other than key=number as part 1/],
    ['offset = 3', /is a bare number, not a list of key=number in quotes/],
  ];
  for (const [line, what] of wrong) {
    it(line.slice(0, 60), () => {
      using fixture = new ConfigFixture();
      const sentences = fixture.sentences(`${SERVER}[sensors]\n${line}\n`, { names });
      assert.equal(sentences.length, 1, sentences.join('\n'));
      assert.match(sentences[0] ?? '', what);
      assert.match(sentences[0] ?? '', /^firstlight\.toml:4: sensors\./);
    });
  }

  it('a key whose own name has gone to another may give its name away', () => {
    const { config } = sensors('rename = "tempBoard=cpuTemperatureC, cpuTemperatureC=tempBoard"');
    assert.equal(config.sensors.rename.get('tempBoard'), 'cpuTemperatureC');
  });

  it('of a variable, too, names the variable', () => {
    using fixture = new ConfigFixture();
    const environment = { FIRSTLIGHT_SENSORS_INTERVAL: 'hwmom=60s' };
    const [sentence = ''] = fixture.sentences(SERVER, { names, environment });
    assert.match(sentence, /^FIRSTLIGHT_SENSORS_INTERVAL: sensors\.interval = "hwmom=60s" names hwmom/);
    assert.match(sentence, /example: FIRSTLIGHT_SENSORS_INTERVAL=filesystem=5m/);
  });
});

describe('a name that nothing has is a warning, with the one that was meant', () => {
  const rows: readonly [line: string, warning: string | undefined][] = [
    [
      'off = "hwmn"',
      'sensors.off names hwmn, which no sensor of this version is or delivers; did you mean hwmon?',
    ],
    ['on = "zz*"', 'sensors.on names zz*, which no sensor of this version is or delivers'],
    ['off = "netEth*, *RxBytesPerS, hwmon"', undefined],
    [
      'rename = "tempBord=x"',
      'sensors.rename names tempBord, which no sensor of this version is or delivers; did you mean tempBoard?',
    ],
    [
      'scale = "cpuTemperature=2"',
      'sensors.scale names cpuTemperature, which no sensor of this version is or delivers; did you mean cpuTemperatureC?',
    ],
    ['offset = "cpu*=2"', undefined],
  ];
  for (const [line, warning] of rows) {
    it(line, () => {
      const { warnings } = sensors(line);
      const expected = warning === undefined ? [] : [`firstlight.toml:4: ${warning}`];
      assert.deepEqual(
        warnings.map((each) => each.replace(/^.*\//, '')),
        expected,
      );
    });
  }
});

/** Custom sensors in the configuration: valid ones, files that replace each other, and every problem with its line. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { changedTables } from '../../src/config/differences.ts';
import { ConfigFixture, SERVER } from './config-fixture.ts';

const names = { sensors: ['cpu', 'network'], keys: ['cpuUsePercent', 'net*RxBytesPerS', 'load1'] };

function load(toml: string) {
  using fixture = new ConfigFixture();
  return fixture.load(SERVER + toml, { names });
}

const BOILER = '[[sensor.exec]]\nname = "boiler"\ncommand = ["/usr/bin/boiler"]\n';

describe('custom sensors', () => {
  it('have defaults for missing fields', () => {
    const { config } = load(
      `${BOILER}[[sensor.file]]\nname = "tank"\npath = "/sys/tank"\n[[sensor.gpio]]\nname = "door"\nline = "GPIO17"\n`,
    );
    assert.deepEqual(config.sensors.custom, [
      { kind: 'exec', name: 'boiler', command: ['/usr/bin/boiler'], everyMs: 60_000, timeoutMs: 10_000 },
      { kind: 'file', name: 'tank', path: '/sys/tank', everyMs: 10_000, scale: 1, offset: 0 },
      { kind: 'gpio', name: 'door', line: 'GPIO17', everyMs: 10_000, isInverted: false },
    ]);
  });

  it('are read with all fields', () => {
    const { config } = load(`[[sensor.exec]]
name = "boiler"
command = [
  "/usr/bin/boiler", # with a comment
  "--json",
]
every = "5m"
timeout = "1s"
keys = ["flow", "pressure"]
unit = "°C"
[[sensor.file]]
name = "tank"
path = "/sys/tank"
every = "1h"
scale = "-0.5"
offset = "3"
[[sensor.gpio]]
name = "door"
line = "Front Door"
invert = "yes"
`);
    const [boiler, tank, door] = config.sensors.custom;
    assert.deepEqual(boiler, {
      kind: 'exec',
      name: 'boiler',
      command: ['/usr/bin/boiler', '--json'],
      everyMs: 300_000,
      timeoutMs: 1000,
      keys: ['flow', 'pressure'],
      unit: '°C',
    });
    assert.deepEqual(tank, {
      kind: 'file',
      name: 'tank',
      path: '/sys/tank',
      everyMs: 3_600_000,
      scale: -0.5,
      offset: 3,
    });
    assert.deepEqual(door, {
      kind: 'gpio',
      name: 'door',
      line: 'Front Door',
      everyMs: 10_000,
      isInverted: true,
    });
  });

  it('come from all files, and a later file replaces one of the same name completely', () => {
    using fixture = new ConfigFixture();
    mkdirSync(join(fixture.directory, 'conf.d'));
    fixture.write('conf.d/10-a.toml', '[[sensor.file]]\nname = "tank"\npath = "/sys/a"\nscale = "2"\n');
    fixture.write('conf.d/20-b.toml', '[[sensor.file]]\nname = "tank"\npath = "/sys/b"\n');
    const { config } = fixture.load(SERVER + BOILER, { names });
    assert.deepEqual(
      config.sensors.custom.map((each) => [
        each.name,
        each.kind === 'file' ? [each.path, each.scale] : undefined,
      ]),
      [
        ['boiler', undefined],
        ['tank', ['/sys/b', 1]],
      ],
    );
  });

  it('can be named in the lists of [sensors] without a warning', () => {
    const { warnings } = load(`[sensors]\noff = "boiler, tank"\nscale = "boilerFlow=2"\n${BOILER}`);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /off names tank, but/);
  });

  it('change the configuration only if they differ', () => {
    const one = load(BOILER).config;
    assert.deepEqual(changedTables(one, load(BOILER).config), []);
    assert.deepEqual(changedTables(one, load(BOILER.replace('"]', '", "-v"]')).config), ['sensors']);
  });
});

describe('problems of custom sensors', () => {
  const name = 'name = "tank"\n';
  const file = (lines: string) => `[[sensor.file]]\n${name}path = "/sys/tank"\n${lines}`;
  const exec = (lines: string) => `[[sensor.exec]]\nname = "boiler"\n${lines}`;
  const invalid: readonly [toml: string, line: number, what: RegExp][] = [
    [
      '[[sensor.exce]]\n',
      3,
      /sensor\.exce is not a known sensor type; did you mean \[\[sensor\.exec\]\]\?; allowed/,
    ],
    [
      '[sensor]\nprofile = "full"\n',
      4,
      /sensor\.profile is not a known sensor type; did you mean sensors\.profile/,
    ],
    [
      '[sensor.exec]\nname = "x"\n',
      3,
      /sensor\.exec is a table, not a list of tables; example: \[\[sensor\.exec\]\]/,
    ],
    ['[sensor]\nfile = ["/sys/x"]\n', 4, /not a list of tables/],
    ['sensor = "x"\n', 3, /server\.sensor is not a Firstlight key/],
    ['[[sensors]]\nprofile = "full"\n', 3, /sensors is a list, not a table/],
    ['[[sensor.file]]\npath = "/sys/x"\n', 3, /sensor\.file\.name is missing; allowed: a lowercase letter/],
    [`[[sensor.file]]\n${name}`, 3, /sensor\.file\.path is missing; allowed: an absolute path/],
    [
      '[[sensor.file]]\nname = "Tank"\npath = "/x"\n',
      4,
      /name = "Tank" is not a valid sensor name; .*example: name = "tankLevel"/,
    ],
    ['[[sensor.file]]\nname = "tank level"\npath = "/x"\n', 4, /is not a valid sensor name/],
    ['[[sensor.file]]\nname = "tank"\npath = "sys/x"\n', 5, /path = \*\*\* is not an absolute path/],
    [file('every = "10"\n'), 6, /every = "10" is not a duration; allowed: 1s to 24h; example: every = "10s"/],
    [file('every = "999ms"\n'), 6, /is too short/],
    [file('scale = 0.5\n'), 6, /scale = 0.5 is a bare number, not a number in quotes/],
    [file('scale = "1e3"\n'), 6, /is not a decimal number within the limits/],
    [
      file('scal = "1"\n'),
      6,
      /sensor\.file\.scal is not a field of this sensor type; did you mean scale\?; allowed: name path every/,
    ],
    [file('timeout = "1s"\n'), 6, /sensor\.file\.timeout is not a field/],
    [file(`unit = "${'x'.repeat(17)}"\n`), 6, /is too long; allowed: up to 16 characters/],
    [exec(''), 3, /sensor\.exec\.command is missing; allowed: \["\/absolute\/path"/],
    [
      exec('command = "/bin/date +%s"\n'),
      5,
      /command = "\/bin\/date \+%s" is text, not a list of texts; .*example: command = \["\/usr/,
    ],
    [exec('command = []\n'), 5, /is empty/],
    [exec('command = ["date"]\n'), 5, /does not begin with an absolute path/],
    [exec('command = ["/bin/date", 1]\n'), 5, /contains a bare number, not text/],
    [exec('command = ["/bin/date", "a\\u0000b"]\n'), 5, /contains a NUL character/],
    [exec(`command = ["/bin/date", ${'"a",'.repeat(33)}]\n`), 5, /too many arguments/],
    [exec('command = ["/bin/date"]\ntimeout = "6m"\n'), 6, /is too long; allowed: 100ms to 5m/],
    [exec('command = ["/bin/date"]\nkeys = []\n'), 6, /keys = \[ … \] is empty/],
    [exec('command = ["/bin/date"]\nkeys = ["-"]\n'), 6, /a name without a letter or digit/],
    [exec(`command = ["/bin/date"]\nkeys = [${'"a",'.repeat(33)}]\n`), 6, /too many names/],
    ['[[sensor.gpio]]\nname = "door"\nline = "-x"\n', 5, /begins with a hyphen/],
    [
      '[[sensor.gpio]]\nname = "door"\nline = "GPIO17"\ninvert = "true"\n',
      6,
      /not an accepted value; allowed: no \| yes/,
    ],
    [BOILER.replace('boiler"', 'cpu"'), 4, /name = "cpu" is the name of a built-in sensor/],
    ['[[sensor.file]]\nname = "load1"\npath = "/x"\n', 4, /creates the key load1, which is a built-in key/],
    ['[[sensor.file]]\nname = "netEth0RxBytesPerS"\npath = "/x"\n', 4, /creates the key netEth0RxBytesPerS/],
    ['[[sensor.file]]\nname = "lostReadings"\npath = "/x"\n', 4, /creates the key lostReadings/],
    ['[[sensor.file]]\nname = "ts"\npath = "/x"\n', 4, /name = "ts" is a reserved name of the server/],
    [`${BOILER.replace('boiler"', 'load"')}keys = ["1"]\n`, 4, /creates the key load1/],
    [`[sensors]\nrename = "load1=tank"\n${file('')}`, 4, /uses the name tank, which another key has/],
    [
      `${BOILER}${file('')}${BOILER}`,
      10,
      /name = "boiler" is already the name of another sensor \(firstlight\.toml:4\)/,
    ],
    [`${BOILER}[[sensor.file]]\nname = "boiler"\npath = "/x"\n`, 7, /is already the name of another sensor/],
    [manyPrograms(17), 52, /\[\[sensor\.exec\]\] has too many tables; allowed: at most 16/],
  ];
  for (const [toml, line, what] of invalid) {
    it(`reports the problem of ${JSON.stringify(toml.slice(0, 56))}`, () => {
      using fixture = new ConfigFixture();
      const sentences = fixture.sentences(SERVER + toml, { names });
      assert.equal(sentences.length, 1, sentences.join('\n'));
      assert.match(sentences[0] ?? '', what);
      assert.match(sentences[0] ?? '', new RegExp(`^firstlight\\.toml:${line}: `));
    });
  }

  it('reports all problems at once, in the order of the file', () => {
    using fixture = new ConfigFixture();
    const toml = `${SERVER}[[sensor.exec]]\nname = "A"\ncommand = "x"\n[[sensor.exec]]\nevery = "0s"\nunit = ""\n`;
    const lines = fixture.problems(toml, { names }).map(({ line }) => line);
    assert.deepEqual(lines, [4, 5, 6, 6, 7, 8]);
  });

  it('accepts 16 programs', () => {
    assert.equal(load(manyPrograms(16)).config.sensors.custom.length, 16);
  });
});

function manyPrograms(count: number): string {
  return Array.from({ length: count }, (_, index) => BOILER.replace('boiler"', `boiler${index}"`)).join('');
}

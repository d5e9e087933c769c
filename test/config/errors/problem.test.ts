/** Problems of the configuration: all at once, each with its source, bound and example. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '../../../src/config/errors/problem.ts';
import { ConfigFixture, SERVER } from '../config-fixture.ts';

describe('a configuration problem', () => {
  it('names file, line, key, value, bound and example in one sentence', () => {
    using fixture = new ConfigFixture();
    const [problem] = fixture.problems(`${SERVER}\n[telemetry]\n# seconds\ninterval = "10"\n`);
    assert.equal(
      problem?.sentence,
      `${fixture.toml}:6: telemetry.interval = "10" is not a duration; allowed: 1s to 24h; example: interval = "10s"`,
    );
    const { source, line, key, value, bound, example } = problem;
    assert.deepEqual(
      { source, line, key, value, bound, example },
      {
        source: fixture.toml,
        line: 6,
        key: 'telemetry.interval',
        value: '"10"',
        bound: '1s to 24h',
        example: 'interval = "10s"',
      },
    );
  });

  it('of a variable names the variable and shows an example for it', () => {
    using fixture = new ConfigFixture();
    assert.deepEqual(fixture.sentences(SERVER, { environment: { FIRSTLIGHT_TELEMETRY_INTERVAL: '25h' } }), [
      'FIRSTLIGHT_TELEMETRY_INTERVAL: telemetry.interval = "25h" is too long; allowed: 1s to 24h; example: FIRSTLIGHT_TELEMETRY_INTERVAL=10s',
    ]);
  });

  it('is reported with all others, in the order of the file', () => {
    using fixture = new ConfigFixture();
    const toml = `top = 1
[server]
url = "mqtt://tb"
spread = "2h"
[telemtry]
interval = "1s"
[telemetry]
intervall = "1s"
interval = 10
[log]
level = "warning"
format = ["json"]
[device]
name = "a<b"
[provisioning]
credentials = true
`;
    const environment = { FIRSTLIGHT_LOG_LEVLE: 'info', FIRSTLIGHT_DEVICE_NAME: '' };
    const problems = fixture.problems(toml, { environment });
    assert.equal(problems.length, 12);
    const inFile = problems.filter((each) => each.source === fixture.toml).map((each) => each.line);
    assert.deepEqual(inFile, [1, 3, 4, 5, 8, 9, 11, 12, 14, 16]);
  });

  it('is reported for a value that a later source overrides', () => {
    using fixture = new ConfigFixture();
    const environment = { FIRSTLIGHT_LOG_LEVEL: 'info' };
    assert.equal(fixture.problems(`${SERVER}[log]\nlevel = "loud"`, { environment }).length, 1);
  });

  it('is thrown in a ConfigError with a stable code and one line per problem', () => {
    using fixture = new ConfigFixture();
    assert.throws(
      () => fixture.load('[server]\nurl = "x"\nspread = "y"'),
      (error) =>
        error instanceof ConfigError &&
        error.code === 'CONFIG_INVALID' &&
        error.problems.length === 2 &&
        error.message.split('\n').length === 2,
    );
  });
});

describe('a typing error', () => {
  const errors: readonly [toml: string, what: RegExp][] = [
    [
      '[telemetry]\nintervall = "1s"',
      /telemetry\.intervall is not a Firstlight key; did you mean telemetry\.interval\?/,
    ],
    [
      '[telemtry]\ninterval = "1s"',
      /\[telemtry\] is not a Firstlight table; did you mean \[telemetry\]\?; allowed: \[server\]/,
    ],
    ['[log]\ninterval = "1s"', /log\.interval is not a Firstlight key; did you mean telemetry\.interval\?/],
    ['[log]\nlevel = "warning"', /is not an accepted value; allowed: debug \| info \| warn \| error/],
    ['[log]\nlevel = "INFO"', /did you mean "info"\?/],
    [
      '[telemetry]\ninterval = 10',
      /interval = 10 is a bare number, not a duration in quotes; .*interval = "10s"/,
    ],
    ['[telemetry]\ninterval = 2026-01-01', /is a date, not a duration/],
    ['[telemetry.interval]\nx = 1', /interval = \{ … \} is a table, not a duration/],
    ['[[log]]\nlevel = "info"', /log is a list, not a table/],
    ['"__proto__" = 1', /__proto__ is not a Firstlight key/],
    ['[device]\n"constructor" = 1', /device\.constructor is not a Firstlight key/],
    ['[device]\n"na\\u001bme" = "x"', /device\."na\\u001bme" is not a Firstlight key/],
    ['[device]\nname = "a\\u0007"', /name = "a\\u0007" contains a control character/],
    ['[device]\nname = "   "', /is empty/],
    [`[device]\nname = "${'n'.repeat(256)}"`, /is too long; allowed: 1 to 255/],
  ];
  for (const [toml, what] of errors) {
    it(`is reported with a remedy: ${JSON.stringify(toml.slice(0, 44))}`, () => {
      using fixture = new ConfigFixture();
      const sentences = fixture.sentences(`${toml}\n${toml.includes('server') ? '' : SERVER}`);
      assert.equal(sentences.length, 1, sentences.join('\n'));
      assert.match(sentences[0] ?? '', what);
      assert.doesNotMatch(sentences[0] ?? '', /\p{Cc}/u);
      assert.ok((sentences[0] ?? '').length < 400);
    });
  }

  it('in the name of a variable is reported with a suggestion and without the value', () => {
    using fixture = new ConfigFixture();
    const environment = { FIRSTLIGHT_PROVISIONING_SECERT: 'hush-hush' };
    assert.deepEqual(fixture.sentences(SERVER, { environment }), [
      'FIRSTLIGHT_PROVISIONING_SECERT: is not a Firstlight variable; did you mean FIRSTLIGHT_PROVISIONING_SECRET?',
    ]);
  });

  it('is not a name of 255 characters outside the basic plane', () => {
    using fixture = new ConfigFixture();
    assert.deepEqual(fixture.problems(`${SERVER}[device]\nname = "${'🌅'.repeat(255)}"`), []);
    assert.equal(fixture.problems(`${SERVER}[device]\nname = "${'🌅'.repeat(256)}"`).length, 1);
  });
});

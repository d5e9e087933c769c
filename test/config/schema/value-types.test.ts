/** Numbers, sizes, shares and deadbands of settings: their meaning, bounds and problems. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import type { Setting } from '../../../src/config/schema/setting.ts';
import { settings } from '../../../src/config/schema/settings.ts';
import { parseSize } from '../../../src/config/values/quantities.ts';
import { parseDeadbands } from '../../../src/config/values/sensor-lists.ts';
import { ConfigFixture, SERVER } from '../config-fixture.ts';

/** The value, or the message of the problem. */
function parse(setting: Setting, raw: unknown): unknown {
  const result = v.safeParse(setting.schema, raw);
  return result.success ? result.output : result.issues[0].message;
}

describe('a size', () => {
  it('is a whole number and a unit of powers of 1000, or of 1024 with an i', () => {
    const bytes = ['1KB', '64MB', '16GB', '1KiB', '64MiB', '2GiB', '0MB'].map(parseSize);
    assert.deepEqual(bytes, [1000, 64e6, 16e9, 1024, 64 * 2 ** 20, 2 ** 31, 0]);
  });

  it('has no fraction, sign, space or other unit', () => {
    for (const text of [
      '64',
      '',
      'MB',
      '1.5MB',
      '-1MB',
      '64 MB',
      ' 64MB',
      '64M',
      '64mb',
      '64kB',
      '1TB',
      '1B',
      '6４MB',
    ]) {
      assert.equal(parseSize(text), undefined, JSON.stringify(text));
    }
  });
});

describe('the setting', () => {
  const rows: readonly [
    setting: Setting,
    valid: Readonly<Record<string, unknown>>,
    invalid: Readonly<Record<string, RegExp>>,
  ][] = [
    [
      settings.telemetryDrainRate,
      { '1': 1, '10': 10, '1000': 1000 },
      {
        '0': /too small/,
        '1001': /too large/,
        '1.5': /not a whole number/,
        '-1': /not a whole/,
        '': /not a whole/,
        '1e2': /not/,
      },
    ],
    [
      settings.outboxSpoolSize,
      { '1MB': 1e6, '1MiB': 2 ** 20, '16GB': 16e9, '500000KB': 5e8 },
      { '999KB': /too small/, '16GiB': /too large/, '999999999999999GiB': /too large/, '64': /not a size/ },
    ],
    [
      settings.outboxFreeSpace,
      { '0%': 0, '10%': 0.1, '90%': 0.9 },
      { '91%': /too large/, '10': /not a whole percentage/, '10.5%': /not/, '-1%': /not/, '%': /not/ },
    ],
    [settings.outboxSpoolAfter, { '5s': 5000, '1h': 3_600_000 }, { '4s': /too short/, '61m': /too long/ }],
    [settings.outboxFlushEvery, { '5s': 5000, '1h': 3_600_000 }, { '4s': /too short/, '61m': /too long/ }],
    [
      settings.clockTrust,
      { system: 'system', synchronised: 'synchronised' },
      { synchronized: /did you mean "synchronised"/, '': /not an accepted value/ },
    ],
  ];
  for (const [setting, valid, invalid] of rows) {
    it(`${setting.key} accepts values up to its bounds`, () => {
      for (const [raw, value] of Object.entries(valid)) assert.equal(parse(setting, raw), value, raw);
      for (const [raw, what] of Object.entries(invalid)) assert.match(String(parse(setting, raw)), what, raw);
      assert.match(String(parse(setting, 10)), /bare number/);
    });
  }
});

describe('deadbands', () => {
  it('are keys and numbers with optional spaces', () => {
    const parsed = parseDeadbands(' load1=0.1,cpuTemperatureC = 2 , constructor=1');
    assert.ok(typeof parsed !== 'string', String(parsed));
    assert.deepEqual(
      [...parsed],
      [
        ['load1', 0.1],
        ['cpuTemperatureC', 2],
        ['constructor', 1],
      ],
    );
  });

  it('are empty for empty text', () => {
    for (const text of ['', '  ']) assert.deepEqual(parseDeadbands(text), new Map());
  });

  const many = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}=1`).join(',');
  const invalid: readonly [text: string, what: RegExp][] = [
    ['load1', /invalid part 1 \(expected key=number\)/],
    ['load1=0.1,', /invalid part 2/],
    ['load1=0.1,,load5=1', /invalid part 2/],
    ['load1=0.1;load5=1', /invalid part 1/],
    ['=1', /invalid part 1/],
    ['load1=-1', /invalid part 1/],
    ['load1=1e3', /invalid part 1/],
    ['load1=.5', /invalid part 1/],
    ['load1=NaN', /invalid part 1/],
    ['load/1=1', /invalid part 1/],
    ['load 1=1', /invalid part 1/],
    ['a=1, load1=0.0', /not above 0 in part 2/],
    ['a=1,b=1,a=2', /repeats a key in part 3/],
    [`${'k'.repeat(65)}=1`, /too long in part 1/],
    [many(65), /more than 64 keys/],
  ];
  for (const [text, what] of invalid) {
    it(`are invalid as ${JSON.stringify(text.slice(0, 24))}, and the part is named`, () => {
      assert.match(String(parseDeadbands(text)), what);
    });
  }

  it('may be 64 pairs with keys of 64 characters', () => {
    assert.equal(Object(parseDeadbands(many(64))).size, 64);
    assert.equal(Object(parseDeadbands(`${'k'.repeat(64)}=0.000001`)).size, 1);
  });

  it('that are invalid are one sentence with source, bound and example', () => {
    using fixture = new ConfigFixture();
    assert.deepEqual(fixture.sentences(`${SERVER}[telemetry]\ndeadband = "load1"`), [
      'firstlight.toml:4: telemetry.deadband = "load1" has an invalid part 1 (expected key=number); allowed: at most 64 of key=number, separated by commas; a key has 1 to 64 letters, digits, _ . - and * (wildcard); a number is above 0; example: deadband = "cpuTemperatureC=0.5, load1=0.1"',
    ]);
  });
});

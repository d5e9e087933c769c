/** The output of a program sensor: forms, names, limits and problems. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyOfProgram } from '../../../src/core/model/custom-sensor.ts';
import { KEYS_MAX, programValues } from '../../../src/core/sampling/program-output.ts';
import { anyText } from '../../any-text.ts';
import { repetitions } from '../../repetitions.ts';

const boiler = { name: 'boiler' };

describe('a program’s output', () => {
  const rows: readonly [output: string, values: object, problem?: RegExp][] = [
    [
      '{"flow_temp": 61.25, "pump": true, "state": "heating"}',
      { boilerFlowTemp: 61.25, boilerPump: true, boilerState: 'heating' },
    ],
    [
      'flow_temp=61.25\npump = true\nstate=heating up\n',
      { boilerFlowTemp: 61.25, boilerPump: true, boilerState: 'heating up' },
    ],
    ['42\n', { boiler: 42 }],
    ['-.5e1', { boiler: -5 }],
    ['{"boilerFlow": 1}', { boilerFlow: 1 }],
    ['{"boilers": 1}', { boilerBoilers: 1 }],
    ['{"a": 0.12345678}', { boilerA: 0.123457 }],
    ['{"a": null, "b": 1}', { boilerB: 1 }],
    ['a=1\r\nb=2\r\n', { boilerA: 1, boilerB: 2 }],
    ['state=a=b', { boilerState: 'a=b' }],
    ['', {}, /^prints nothing$/],
    ['{"a": 1', {}, /^prints invalid JSON$/],
    ['garbage', {}, /^prints "garbage", which is neither JSON nor key=value$/],
    ['=1', {}, /^prints "=1", which is neither/],
    ['[1]', {}, /neither JSON nor key=value/],
    ['a=1\nError: no bus\nb=2', { boilerA: 1, boilerB: 2 }, /^prints "Error: no bus", which/],
    [
      '{"a": {"b": 1}, "c": 2}',
      { boilerC: 2 },
      /^prints a value of "a" that is not a number, boolean or short text$/,
    ],
    ['{"a": [1]}', {}, /prints a value of "a" that is not/],
    ['{"a": 1e16}', {}, /prints a value of "a" that is not/],
    ['{"a": -9007199254740991}', { boilerA: -9007199254740991 }],
    ['a=NaN\nb=-inf\nc=N/A\nd=none\ne=1', { boilerE: 1 }],
    ['{"a": "21.50", "b": "-1e3", "c": "07.5"}', { boilerA: 21.5, boilerB: -1000, boilerC: 7.5 }],
    ['{"a": "NaN", "b": "-Infinity", "c": "none"}', { boilerC: 'none' }],
    ['{"a": "00012345", "b": "0x10", "c": "1d"}', { boilerA: '00012345', boilerB: '0x10', boilerC: '1d' }],
    ['{"a": "89490200001234567890"}', { boilerA: '89490200001234567890' }],
    ['a=89490200001234567890\nb=007', { boilerA: '89490200001234567890', boilerB: 7 }],
    ['89490200001234567890', { boiler: '89490200001234567890' }],
    ['{"a": 1e400}', {}, /prints a value of "a" that is not/],
    [`{"a": "${'x'.repeat(129)}"}`, {}, /prints a value of "a" that is not/],
    ['{"a": "x\\u0007"}', {}, /prints a value of "a" that is not/],
    ['a=\ufffd\ufffd\nb=1', { boilerB: 1 }, /prints a value of "a" that is not/],
    ['{"a": ""}', {}, /prints a value of "a" that is not/],
    ['a=', {}, /prints a value of "a" that is not/],
    ['{"--": 1}', {}, /^prints "--", which cannot become a key$/],
    [`{"${'k'.repeat(64)}": 1}`, {}, /which cannot become a key$/],
    ['{"flow-temp": 1, "flow_temp": 2}', { boilerFlowTemp: 1 }, /^prints "flow_temp" twice$/],
    ['{"__proto__": 1, "constructor": 2}', { boilerProto: 1, boilerConstructor: 2 }],
    ['\u0000\u00ff\u001b[2J', {}, /^prints "[\x20-\x7e]*", which is neither/],
  ];
  for (const [output, values, problem] of rows) {
    it(JSON.stringify(output.slice(0, 50)), () => {
      const parsed = programValues(output, boiler);
      assert.deepEqual(parsed.values, values);
      if (problem === undefined) assert.equal(parsed.problem, undefined);
      else assert.match(parsed.problem ?? '', problem);
    });
  }

  it('unselected values of a program are ignored without a problem', () => {
    const output = '{"flow": 1, "other": {"x": 1}, "pump": false}';
    assert.deepEqual(programValues(output, { name: 'boiler', keys: ['flow', 'pump', 'missing'] }), {
      values: { boilerFlow: 1, boilerPump: false },
    });
  });

  it('a program has at most 32 values, and more are a problem', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=1`).join('\n');
    assert.equal(programValues(lines(KEYS_MAX), boiler).problem, undefined);
    const { values, problem } = programValues(lines(KEYS_MAX + 1), boiler);
    assert.equal(Object.keys(values).length, KEYS_MAX);
    assert.equal(problem, 'prints more than 32 values');
  });

  it('any output yields deliverable values and at most one line of problem', () => {
    const text = fc.oneof(
      anyText(),
      fc.json(),
      fc.array(fc.string()).map((lines) => lines.join('=\n')),
    );
    fc.assert(
      fc.property(text, (output) => {
        const { values, problem = '' } = programValues(output, boiler);
        assert.doesNotMatch(problem, /[^\x20-\x7e]/);
        for (const [key, value] of Object.entries(values)) {
          assert.match(key, /^boiler[A-Za-z0-9]{0,58}$/);
          assert.ok(typeof value === 'boolean' || typeof value === 'string' || Number.isFinite(value));
          if (typeof value === 'string') assert.ok(value.length <= 128 && !/\p{Cc}/u.test(value));
        }
      }),
      { numRuns: repetitions(100, 20) },
    );
  });
});

it('the key of a value begins with the sensor name once', () => {
  const rows: readonly [said: string, key: string | undefined][] = [
    ['temp', 'boilerTemp'],
    ['TEMP', 'boilerTEMP'],
    ['boiler', 'boiler'],
    ['boiler_temp', 'boilerTemp'],
    ['boilerTemp', 'boilerTemp'],
    ['boilerplate', 'boilerBoilerplate'],
    ['1', 'boiler1'],
    ['°C', 'boilerC'],
    ['', undefined],
    ['…', undefined],
  ];
  for (const [parsed, key] of rows) assert.equal(keyOfProgram('boiler', parsed), key, parsed);
});

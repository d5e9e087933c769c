/** The stored type of each value (contract section 4.2). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseLenientJson } from '../../../../src/sandbox/core/json/lenient-json.ts';
import type { StoredPoint } from '../../../../src/sandbox/core/model/types.ts';
import { type Classification, classifyValue, storedText } from '../../../../src/sandbox/core/model/values.ts';

function classify(json: string, typeCast: boolean): Classification {
  const parsed = parseLenientJson(json);
  assert.ok(parsed.ok, json);
  return classifyValue(parsed.value, typeCast);
}

type Row = readonly [json: string, type: StoredPoint['type'], value: StoredPoint['value']];

/** The table of contract section 4.2. */
const CAST_ON: readonly Row[] = [
  ['true', 'boolean', true],
  ['false', 'boolean', false],
  ['1', 'long', 1],
  ['-17', 'long', -17],
  ['-0', 'long', 0],
  ['1e2', 'long', 100],
  ['1.5e3', 'long', 1500],
  ['9007199254740991', 'long', 9007199254740991],
  ['9007199254740993', 'long', '9007199254740993'],
  ['9223372036854775807', 'long', '9223372036854775807'],
  ['-9223372036854775808', 'long', '-9223372036854775808'],
  ['1.0', 'double', 1],
  ['12.50', 'double', 12.5],
  ['12.5', 'double', 12.5],
  ['-0.0', 'double', 0],
  ['1.25e-3', 'double', 0.00125],
  ['0.1234567890123456', 'double', 0.1234567890123456],
  ['0.30000000000000004', 'string', '0.30000000000000004'],
  ['5.0E-17', 'string', '0.000000000000000050'],
  ['9223372036854775808', 'string', '9223372036854775808'],
  ['-9223372036854775809', 'string', '-9223372036854775809'],
  ['1E400', 'string', `1${'0'.repeat(400)}`],
  ['"5"', 'long', 5],
  ['"-5"', 'long', -5],
  ['"007"', 'long', 7],
  ['"0000000012345678"', 'long', 12345678],
  ['"1.10"', 'double', 1.1],
  ['"6.1"', 'double', 6.1],
  ['".5"', 'double', 0.5],
  ['"-.5"', 'double', -0.5],
  ['"9223372036854775808"', 'string', '9223372036854775808'],
  ['"0.30000000000000004"', 'string', '0.30000000000000004'],
  ['"+5"', 'string', '+5'],
  ['" 5"', 'string', ' 5'],
  ['"1e5"', 'string', '1e5'],
  ['"5."', 'string', '5.'],
  ['"0x1F"', 'string', '0x1F'],
  ['"6.1.21"', 'string', '6.1.21'],
  ['"true"', 'string', 'true'],
  ['""', 'string', ''],
  ['"-"', 'string', '-'],
  ['"."', 'string', '.'],
  ['NaN', 'string', 'NaN'],
  ['Infinity', 'string', 'Infinity'],
  ['+5', 'string', '+5'],
  ['007', 'long', 7],
  ['{"x":null}', 'json', '{"x":null}'],
  ['[1,]', 'json', '[1,null]'],
  ['{a:9223372036854775808;b:1.0}', 'json', '{"a":9223372036854775808,"b":1.0}'],
];

const CAST_OFF: readonly Row[] = [
  ['1', 'long', 1],
  ['1.0', 'double', 1],
  ['"5"', 'string', '5'],
  ['"007"', 'string', '007'],
  ['"1.10"', 'string', '1.10'],
  ['NaN', 'string', 'NaN'],
  ['{"x":null}', 'json', '{"x":null}'],
];

describe('the value table', () => {
  for (const [json, type, value] of CAST_ON) {
    const shown = json.length > 40 ? `${json.slice(0, 37)}...` : json;
    it(`stores ${shown} as ${type}`, () => {
      assert.deepEqual(classify(json, true), { status: 'stored', stored: { type, value } });
    });
  }

  for (const [json, type, value] of CAST_OFF) {
    it(`stores ${json} as ${type} with the type cast off`, () => {
      assert.deepEqual(classify(json, false), { status: 'stored', stored: { type, value } });
    });
  }

  for (const json of ['0.30000000000000004', '9223372036854775808', '1E400']) {
    it(`rejects the whole message for ${json} with the type cast off`, () => {
      assert.equal(classify(json, false).status, 'rejected');
    });
  }

  it('drops null, type cast on or off', () => {
    assert.deepEqual(classify('null', true), { status: 'dropped' });
    assert.deepEqual(classify('null', false), { status: 'dropped' });
  });

  it('rejects a number with too many digits, and stores it as text if quoted', () => {
    assert.equal(classify('1E999999999', true).status, 'rejected');
    const digits = '1'.repeat(20_000);
    assert.deepEqual(classify(`"${digits}"`, true), {
      status: 'stored',
      stored: { type: 'string', value: digits },
    });
  });

  it('writes doubles with a point and large longs with all digits', () => {
    assert.equal(storedText({ type: 'double', value: 1 }), '1.0');
    assert.equal(storedText({ type: 'double', value: 0.5 }), '0.5');
    assert.equal(storedText({ type: 'long', value: '9223372036854775807' }), '9223372036854775807');
    assert.equal(storedText({ type: 'string', value: 'a"b' }), '"a\\"b"');
    assert.equal(storedText({ type: 'json', value: '{"x":null}' }), '{"x":null}');
    assert.equal(storedText({ type: 'boolean', value: false }), 'false');
  });
});

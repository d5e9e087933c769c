/** Texts that the server takes for numbers, and their form as sent. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { isNumericText, nonNumericText } from '../../../src/core/model/numeric-text.ts';
import { classifyValue } from '../../../src/sandbox/core/model/values.ts';
import { repetitions } from '../../repetitions.ts';

const NUMERIC = [
  ...['12', '007', '00012345', '-5', '+5', '5.', '.5', '6.1', '1.10', '13', '89490200001234567890'],
  ...['1e5', '1E-5', '2.5e+10', '1d', '1f', '1D', '2.5F', '12L', '1e5f'],
  ...['0x10', '0X1F', '-0x1f', '#1F', '0x1.8p3', '0x.8p1d', '0b101', '0o17'],
  ...['NaN', 'nan', 'Infinity', '-Infinity', '+inf'],
  ...[' 12 ', '\t7', '1,5', '\u0661\u0662', '\uff11\uff12'],
];
const TEXTS = [
  ...['', '-', '.', 'eth0', '6.1.21', '192.0.2.1', '2001:db8::1', '12:34', '07/2019', '13 (trixie)', '12 V'],
  ...['SN:0123', 'v1', '1 2', 'e5', 'x10', '0x', '0xg', '1e', 'infinite', '1dd', 'deadbeef', '12%', 'true'],
];

for (const text of NUMERIC) {
  it(`${JSON.stringify(text)} reads as a number, and is sent with a prefix`, () => {
    assert.equal(isNumericText(text), true);
    const sent = nonNumericText('deviceRevision', text);
    assert.equal(sent, `deviceRevision ${text}`);
    assert.equal(isNumericText(sent), false);
  });
}

for (const text of TEXTS) {
  it(`${JSON.stringify(text)} is a text, and is sent as it is`, () => {
    assert.equal(nonNumericText('deviceRevision', text), text);
  });
}

it('no text as sent is a number for the server or for JavaScript', () => {
  const numberLike = fc.oneof(
    fc.constantFrom(...NUMERIC, ...TEXTS),
    fc.stringMatching(/^[-+]?[0-9.,xXeEdDfFlLpP#_ nNaAiI]{0,12}$/),
    fc.double().map(String),
    fc.bigInt().map(String),
  );
  fc.assert(
    fc.property(numberLike, (text) => {
      const sent = nonNumericText('key', text);
      if (sent.trim() !== '') assert.ok(Number.isNaN(Number(sent)), sent);
      for (const typeCast of [true, false]) {
        const stored = { status: 'stored', stored: { type: 'string', value: sent } };
        assert.deepEqual(classifyValue({ type: 'string', text: sent }, typeCast), stored);
      }
    }),
    { seed: 20_261_130, numRuns: repetitions(5_000) },
  );
});

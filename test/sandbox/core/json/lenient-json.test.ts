/** The lenient JSON parser (contract section 4.3). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonText, NESTING_MAX, parseLenientJson } from '../../../../src/sandbox/core/json/lenient-json.ts';

/** Parses a text and writes it as strict JSON; undefined if it is rejected. */
function normalise(text: string): string | undefined {
  const parsed = parseLenientJson(text);
  return parsed.ok ? jsonText(parsed.value) : undefined;
}

const ACCEPTED: readonly (readonly [what: string, text: string, expected: string])[] = [
  ['plain JSON', '{"a":1,"b":[true,false,null,"x"]}', '{"a":1,"b":[true,false,null,"x"]}'],
  ['unquoted keys and values', '{a:b}', '{"a":"b"}'],
  ['single quotes', "{'a':'b'}", '{"a":"b"}'],
  ['a double quote inside single quotes', `{'a':'"'}`, '{"a":"\\""}'],
  ['semicolons between members', '{a:1;b:2}', '{"a":1,"b":2}'],
  ['semicolons between elements', '[1;2]', '[1,2]'],
  ['= and => for the colon', '{a=1,b=>2}', '{"a":1,"b":2}'],
  ['block, line and hash comments', '/* x */{"a":// y\n1,# z\n"b":2}', '{"a":1,"b":2}'],
  ['a leading byte order mark', '\uFEFF{"a":1}', '{"a":1}'],
  ['a repeated key, of which the last wins', '{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
  ['a trailing comma in an array, as null', '[1,]', '[1,null]'],
  ['an array of commas, as nulls', '[,]', '[null,null]'],
  ['an empty place in the middle', '[1,,2]', '[1,null,2]'],
  ['bare NaN as a string', '{"a":NaN}', '{"a":"NaN"}'],
  ['bare -Infinity as a string', '{"a":-Infinity}', '{"a":"-Infinity"}'],
  ['a number with leading zeros as a string', '{"a":007}', '{"a":"007"}'],
  ['keywords in any case', '[TRUE,False,nULL]', '[true,false,null]'],
  ['a word that only begins like a keyword', '[trues]', '["trues"]'],
  ['raw line breaks in a string', '"a\nb"', '"a\\nb"'],
  ['escapes', '"\\u0041\\t\\/\\\'"', '"A\\t/\'"'],
  [
    'number literals untouched',
    '[9223372036854775808,1e2,1.0,0.30000000000000004,-0]',
    '[9223372036854775808,1e2,1.0,0.30000000000000004,-0]',
  ],
  ['blanks around everything', ' \t\r\n{ "a" : 1 } \n', '{"a":1}'],
  ['an empty text, as null', '', 'null'],
  ['a text of comments only, as null', '/* nothing */', 'null'],
  ['empty containers', '{"a":{},"b":[]}', '{"a":{},"b":[]}'],
  ['a key named __proto__', '{"__proto__":1}', '{"__proto__":1}'],
];

const REJECTED: readonly (readonly [what: string, text: string])[] = [
  ['trailing text', '{"a":1} x'],
  ['a second document', '{}{}'],
  ['a trailing comma in an object', '{"a":1,}'],
  ['truncation after an opening brace', '{'],
  ['truncation inside a value', '{"a":'],
  ['truncation inside an array', '[1'],
  ['truncation after a comma in an array', '[1,'],
  ['an unterminated string', '{"a":"b'],
  ['an unterminated comment', '{} /* x'],
  ['two words in a row', '{a:foo bar}'],
  ['a member without a name', '{:1}'],
  ['a member without a colon', '{"a" 1}'],
  ['a member without a value', '{"a":}'],
  ['an unknown escape', '"\\x"'],
  ['a broken Unicode escape', '"\\u00g0"'],
  ['a closing bracket of the wrong kind', '[1}'],
  ['a lone closing brace', '}'],
];

describe('parseLenientJson', () => {
  for (const [what, text, expected] of ACCEPTED) {
    it(`the parser accepts ${what}`, () => assert.equal(normalise(text), expected));
  }

  for (const [what, text] of REJECTED) {
    it(`the parser rejects ${what}`, () => assert.equal(normalise(text), undefined));
  }

  it('an error has line and column', () => {
    assert.deepEqual(parseLenientJson('{\n"a":'), { ok: false, message: 'End of input at line 2 column 5' });
  });

  it('deep nesting is rejected before it exhausts the stack', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    assert.notEqual(normalise(nested(NESTING_MAX)), undefined);
    assert.equal(normalise(nested(NESTING_MAX + 2)), undefined);
    assert.equal(normalise(nested(1_000_000)), undefined);
  });

  it('no text makes the parser throw', () => {
    for (const text of ['\u0000', '\\', '/', '"\\', "'", '{"a":/', '\uD800', '[1 /', '{a', '=', '#']) {
      assert.doesNotThrow(() => parseLenientJson(text), text);
    }
  });
});

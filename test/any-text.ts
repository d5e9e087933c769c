/** Random texts for property tests. */

import * as fc from 'fast-check';

/** Names that every object of JavaScript has. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'];
/** Several code points that are one character on a screen. */
const COMPOSED = ['e\u0301', '\u{1f1e8}\u{1f1ed}', '\u{1f468}\u200d\u{1f33e}', '\u1100\u1161\u11a8'];

const unit = fc.oneof(
  { weight: 4, arbitrary: codePoint(0, 0x7f) },
  { weight: 2, arbitrary: codePoint(0x80, 0xd7ff) },
  { weight: 2, arbitrary: codePoint(0xe000, 0x10_ffff) },
  { weight: 1, arbitrary: fc.constantFrom(...COMPOSED) },
);

function codePoint(min: number, max: number): fc.Arbitrary<string> {
  return fc.integer({ min, max }).map((value) => String.fromCodePoint(value));
}

/**
 * Any Unicode text without lone surrogates, of `minLength` to `maxLength` characters. The texts of fast-check with the units
 * `binary` and `grapheme` build a table of all code points first, which costs more than a second in each process.
 */
export function anyText({ minLength = 0, maxLength = 10 } = {}): fc.Arbitrary<string> {
  const inherited = INHERITED.filter((name) => name.length >= minLength && name.length <= maxLength);
  const random = fc.array(unit, { minLength, maxLength }).map((units) => units.join(''));
  if (inherited.length === 0) return random;
  return fc.oneof({ weight: 19, arbitrary: random }, { weight: 1, arbitrary: fc.constantFrom(...inherited) });
}

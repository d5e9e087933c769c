/** Globs, and the precedence of profile, on and off. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matches, overlap } from '../../../src/core/model/glob.ts';
import { EVERYTHING, isSelected, PROFILES } from '../../../src/core/model/sensor-selection.ts';

/** Few letters and many stars, so that they meet. */
const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });

test('a glob matches like the regular expression with .* for *', () => {
  fc.assert(
    fc.property(glob, word, (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text);
      assert.equal(matches(pattern, text), expected);
      assert.equal(overlap(pattern, text), expected);
    }),
  );
});

test('two globs that match one text overlap, in either order', () => {
  fc.assert(
    fc.property(glob, glob, word, (one, other, text) => {
      if (matches(one, text) && matches(other, text)) assert.ok(overlap(one, other));
      assert.equal(overlap(one, other), overlap(other, one));
    }),
  );
});

test('globs without a common text do not overlap', () => {
  assert.equal(overlap('netEth0*', 'net*RxBytesPerS'), true);
  assert.equal(overlap('netEth0Tx*', 'net*RxBytesPerS'), true, 'netEth0TxRxBytesPerS is such a name');
  assert.equal(overlap('disk*', 'net*RxBytesPerS'), false);
  assert.equal(overlap('*Percent', 'net*RxBytesPerS'), false);
  assert.equal(matches('cpu', 'cpuUsePercent'), false);
});

test('each profile includes the previous one', () => {
  const held = PROFILES.map((profile) =>
    PROFILES.filter((from) => isSelected({ profile, on: [], off: [] }, 'cpu', 'cpuUsePercent', from)),
  );
  assert.deepEqual(held, [['minimal'], ['minimal', 'default'], ['minimal', 'default', 'full']]);
});

test('off precedes on, on precedes the profile; both name sensors or keys', () => {
  const rows = [
    { on: ['cpu*'], off: [], reported: true },
    { on: ['cpu'], off: [], reported: true },
    { on: ['load'], off: [], reported: false },
    { on: ['cpu'], off: ['*Percent'], reported: false },
    { on: ['cpuUsePercent'], off: ['cpu'], reported: false },
  ];
  for (const { on, off, reported } of rows)
    assert.equal(
      isSelected({ profile: 'minimal', on, off }, 'cpu', 'cpuUsePercent', 'full'),
      reported,
      `${on} ${off}`,
    );
});

test('a key pattern may be selected although some of its keys are off', () => {
  const off = (glob: string) =>
    isSelected({ ...EVERYTHING, off: [glob] }, 'network', 'net*RxBytesPerS', 'default');
  assert.equal(off('netEth0*'), true);
  assert.equal(off('net*'), false);
  assert.equal(off('*Rx*'), false);
  const on = { profile: 'minimal', on: ['netEth0*'], off: [] } as const;
  assert.equal(isSelected(on, 'network', 'net*RxBytesPerS', 'default'), true);
  assert.equal(isSelected(on, 'network', 'netWlan0RxBytesPerS', 'default'), false);
});

test('a selected key implies a selected pattern', () => {
  const globs = fc.array(glob, { maxLength: 2 });
  fc.assert(
    fc.property(fc.constantFrom(...PROFILES), globs, globs, word, (profile, on, off, middle) => {
      const selection = { profile, on, off };
      if (isSelected(selection, 's', `a${middle}b`, 'default'))
        assert.ok(isSelected(selection, 's', 'a*b', 'default'));
    }),
  );
});

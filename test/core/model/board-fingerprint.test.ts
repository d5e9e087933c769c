/** When two fingerprints are of one board: another one has to be proven. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Fingerprint, isSameBoard } from '../../../src/core/model/board-fingerprint.ts';

const [SERIAL, OTHER_SERIAL] = ['serial:0123456789abcdef', 'serial:fedcba9876543210'] as const;
const [MAC, MAC_2, MAC_3] = ['mac:1111111111111111', 'mac:2222222222222222', 'mac:3333333333333333'] as const;

describe('two fingerprints', () => {
  const cases: readonly [claim: string, stored: Fingerprint, now: Fingerprint, same: boolean][] = [
    ['of which one is empty prove nothing', [], [SERIAL, MAC], true],
    ['that are both empty prove nothing', [], [], true],
    ['with one serial are of one board', [SERIAL], [SERIAL], true],
    ['with two serials are of two boards', [SERIAL], [OTHER_SERIAL], false],
    [
      'with one serial are of one board after every network card was swapped',
      [SERIAL, MAC],
      [SERIAL, MAC_2],
      true,
    ],
    [
      'with two serials are of two boards, though a network card moved along',
      [SERIAL, MAC],
      [OTHER_SERIAL, MAC],
      false,
    ],
    ['of which one has a serial more are of two boards', [SERIAL], [SERIAL, OTHER_SERIAL], false],
    ['without serials are of one board when one address is common', [MAC, MAC_2], [MAC_2, MAC_3], true],
    ['without serials are of two boards when no address is common', [MAC], [MAC_2, MAC_3], false],
    ['of which one alone has a serial are compared by address: one in common', [SERIAL, MAC], [MAC], true],
    [
      'of which one alone has a serial are compared by address: none in common',
      [SERIAL, MAC],
      [MAC_2],
      false,
    ],
    ['of different kinds prove nothing', [SERIAL], [MAC], true],
    [
      'of a kind of some later version prove nothing',
      ['tpm:0123456789abcdef'],
      ['tpm:fedcba9876543210'],
      true,
    ],
  ];
  for (const [identity, stored, now, same] of cases) {
    it(identity, () => assert.equal(isSameBoard(stored, now), same));
  }
});

/** Few different entries, so that fingerprints often meet. */
const entry = fc
  .tuple(fc.constantFrom('serial', 'mac', 'tpm'), fc.constantFrom('0', '1', '2'))
  .map(([kind, digit]) => `${kind}:${digit.repeat(16)}`);
const fingerprint: fc.Arbitrary<Fingerprint> = fc.array(entry, { maxLength: 5 });

describe('isSameBoard', () => {
  it('isSameBoard is symmetric', () => {
    fc.assert(fc.property(fingerprint, fingerprint, (a, b) => isSameBoard(a, b) === isSameBoard(b, a)));
  });

  it('isSameBoard ignores order and repetition of entries', () => {
    fc.assert(
      fc.property(fingerprint, (a) => {
        assert.ok(isSameBoard(a, [...a].reverse()));
        assert.ok(isSameBoard([...a, ...a], a));
      }),
    );
  });

  it('isSameBoard is true for boards with the same serial', () => {
    const macs = fc.array(
      entry.filter((each) => !each.startsWith('serial:')),
      { maxLength: 4 },
    );
    fc.assert(fc.property(macs, macs, (a, b) => isSameBoard([SERIAL, ...a], [...b, SERIAL])));
  });
});

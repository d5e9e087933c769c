/** When two fingerprints belong to one board: a difference must be proven. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Fingerprint, isSameBoard } from '../../../src/core/model/board-fingerprint.ts';

const [SERIAL, OTHER_SERIAL] = ['serial:0123456789abcdef', 'serial:fedcba9876543210'] as const;
const [MAC, MAC_2, MAC_3] = ['mac:1111111111111111', 'mac:2222222222222222', 'mac:3333333333333333'] as const;

describe('two fingerprints', () => {
  const cases: readonly [title: string, stored: Fingerprint, present: Fingerprint, same: boolean][] = [
    ['of which one is empty prove nothing', [], [SERIAL, MAC], true],
    ['that are both empty prove nothing', [], [], true],
    ['with the same serial belong to one board', [SERIAL], [SERIAL], true],
    ['with two serials belong to two boards', [SERIAL], [OTHER_SERIAL], false],
    [
      'with one serial belong to one board after all network cards were replaced',
      [SERIAL, MAC],
      [SERIAL, MAC_2],
      true,
    ],
    [
      'with two serials belong to two boards, even with a common network card',
      [SERIAL, MAC],
      [OTHER_SERIAL, MAC],
      false,
    ],
    ['with an additional serial belong to two boards', [SERIAL], [SERIAL, OTHER_SERIAL], false],
    ['without serials but a common MAC address belong to one board', [MAC, MAC_2], [MAC_2, MAC_3], true],
    ['without serials and common MAC address belong to two boards', [MAC], [MAC_2, MAC_3], false],
    ['with one serial and a common MAC address belong to one board', [SERIAL, MAC], [MAC], true],
    ['with one serial and no common MAC address belong to two boards', [SERIAL, MAC], [MAC_2], false],
    ['of different kinds prove nothing', [SERIAL], [MAC], true],
    [
      'with entries of an unknown kind prove nothing',
      ['tpm:0123456789abcdef'],
      ['tpm:fedcba9876543210'],
      true,
    ],
  ];
  for (const [title, stored, present, same] of cases) {
    it(`two fingerprints ${title}`, () => assert.equal(isSameBoard(stored, present), same));
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

/** When two fingerprints belong to one board: a difference must be proven. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  compareBoards,
  FINGERPRINT_ENTRIES_MAX,
  type Fingerprint,
  isSameBoard,
  mergeFingerprints,
} from '../../../src/core/model/board-fingerprint.ts';
import { repetitions } from '../../repetitions.ts';

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

const [USB, USB_2] = ['usb:1111111111111111', 'usb:2222222222222222'] as const;
const [WEAK_SERIAL, WEAK_MAC] = ['weak-serial:0123456789abcdef', 'weak-mac:1111111111111111'] as const;

describe('two fingerprints with addresses on USB', () => {
  const cases: readonly [title: string, stored: Fingerprint, present: Fingerprint, expected: string][] = [
    ['alone in common belong to one board', [MAC, USB], [MAC, USB, MAC_2], 'same'],
    [
      'in common and others on the board belong to two boards',
      [MAC, USB, MAC_2],
      [MAC, USB, MAC_3],
      'different',
    ],
    ['replaced belong to one board', [MAC, USB, MAC_2], [MAC_2, MAC_3, 'usb:3333333333333333'], 'same'],
    ['replaced, with one serial, belong to one board', [SERIAL, MAC, USB], [SERIAL, MAC_2, USB_2], 'same'],
    [
      'and one serial with other addresses on the board are uncertain',
      [SERIAL, MAC],
      [SERIAL, MAC_2],
      'uncertain',
    ],
  ];
  for (const [title, stored, present, expected] of cases)
    it(`two fingerprints with addresses on USB ${title}`, () =>
      assert.equal(compareBoards(stored, present), expected));
});

describe('a fingerprint of an earlier agent', () => {
  const cases: readonly [title: string, stored: Fingerprint, present: Fingerprint, expected: string][] = [
    ['with a random address is that of the board that has it', [MAC], [WEAK_MAC, MAC_2], 'same'],
    ['with a random address of an earlier boot proves nothing', [MAC_2], [WEAK_MAC], 'same'],
    ['with a shared serial is that of a board that has it', [SERIAL], [WEAK_SERIAL, MAC], 'same'],
    ['with a shared serial and the address is that of the board', [SERIAL, MAC], [WEAK_SERIAL, MAC], 'same'],
    [
      'with a shared serial and another address is uncertain',
      [SERIAL, MAC],
      [WEAK_SERIAL, MAC_2],
      'uncertain',
    ],
    [
      'with a shared serial is that of a board that shows another serial now',
      [SERIAL, MAC],
      [WEAK_SERIAL, OTHER_SERIAL, MAC],
      'same',
    ],
    [
      'with a USB address and another one on the board is uncertain',
      [MAC, MAC_2],
      [MAC, USB, MAC_3],
      'uncertain',
    ],
    ['with a USB address and none on the board is that of the board', [MAC], [MAC, USB, MAC_3], 'same'],
    ['with another address is that of another board', [MAC], [MAC_2], 'different'],
  ];
  for (const [title, stored, present, expected] of cases)
    it(`a fingerprint of an earlier agent ${title}`, () =>
      assert.equal(compareBoards(stored, present), expected));

  it('a fingerprint of an earlier agent that fitted then fits now', () => {
    const kinds = fc.constantFrom('serial', 'mac', 'usb-mac', 'weak-mac', 'weak-serial');
    const part = fc.tuple(kinds, fc.constantFrom('0', '1', '2', '3'));
    const parts = fc.uniqueArray(part, {
      maxLength: 6,
      selector: ([kind, digit]) => `${kind.slice(-3)}${digit}`,
    });
    const onlySerial = (all: readonly (readonly [string, string])[]) =>
      all.filter(([kind]) => kind.endsWith('serial')).length <= 1;
    const board = parts.filter(onlySerial);
    fc.assert(
      fc.property(board, board, (before, now) => {
        const [stored, presentThen] = [earlier(before), earlier(now)];
        fc.pre(fittedThen(stored, presentThen));
        assert.notEqual(compareBoards(stored, current(now)), 'different');
      }),
      { numRuns: repetitions(5_000) },
    );
  });

  it('a fingerprint of an earlier agent is strict after the first start of this one', () => {
    const migrated = mergeFingerprints([SERIAL, MAC], [WEAK_SERIAL, MAC]);
    assert.deepEqual(migrated, [MAC]);
    assert.equal(compareBoards(migrated, [WEAK_SERIAL, MAC_2]), 'different');
    const withUsb = mergeFingerprints([MAC, MAC_2], [MAC, USB, MAC_2]);
    assert.equal(compareBoards(withUsb, [MAC, USB, MAC_3]), 'different');
  });
});

/** What an earlier agent stored, and what this one sees. */
const earlier = (parts: readonly (readonly [string, string])[]): Fingerprint =>
  parts.map(([kind, digit]) => `${kind.endsWith('serial') ? 'serial' : 'mac'}:${digit.repeat(16)}`);
const current = (parts: readonly (readonly [string, string])[]): Fingerprint =>
  parts.flatMap(([kind, digit]) =>
    kind === 'usb-mac'
      ? [`mac:${digit.repeat(16)}`, `usb:${digit.repeat(16)}`]
      : [`${kind}:${digit.repeat(16)}`],
  );

/** The rule of the earlier agent. */
function fittedThen(stored: Fingerprint, present: Fingerprint): boolean {
  const of = (kind: string, all: Fingerprint) => all.filter((each) => each.startsWith(kind));
  const [serials, presentSerials] = [of('serial', stored), of('serial', present)];
  if (serials.length > 0 && presentSerials.length > 0) return serials[0] === presentSerials[0];
  const [macs, presentMacs] = [of('mac', stored), of('mac', present)];
  return macs.length === 0 || presentMacs.length === 0 || macs.some((each) => presentMacs.includes(each));
}

describe('mergeFingerprints', () => {
  it('mergeFingerprints keeps absent interfaces and drops what is weak here', () => {
    assert.deepEqual(mergeFingerprints([SERIAL, MAC, MAC_2], [WEAK_MAC, MAC_3]), [MAC_2, MAC_3, SERIAL]);
    assert.deepEqual(mergeFingerprints([], [WEAK_MAC, WEAK_SERIAL]), []);
  });

  it('mergeFingerprints keeps the present entries within its bound', () => {
    const many = Array.from({ length: 100 }, (_, index) => `mac:${String(index).padStart(16, '0')}`);
    const merged = mergeFingerprints(many, [SERIAL, MAC]);
    assert.equal(merged.length, FINGERPRINT_ENTRIES_MAX);
    assert.ok(merged.includes(SERIAL) && merged.includes(MAC));
  });
});

/** Few different entries, so that fingerprints often meet. */
const entry = fc
  .tuple(
    fc.constantFrom('serial', 'mac', 'usb', 'weak-serial', 'weak-mac', 'tpm'),
    fc.constantFrom('0', '1', '2'),
  )
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
      entry.filter((each) => !each.includes('serial:')),
      { maxLength: 4 },
    );
    fc.assert(fc.property(macs, macs, (a, b) => isSameBoard([SERIAL, ...a], [...b, SERIAL])));
  });
});

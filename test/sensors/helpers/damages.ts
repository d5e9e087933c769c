/**
 * The damages of the fuzz test to a file of /proc or /sys, each derived from its text. Garbage comes from a
 * seed.
 */

import { createRandom } from '../../../src/sandbox/core/random.ts';
import type { Damage } from '../../doubles/damaged-host-files.ts';

const GARBAGE_BYTES = 96;
const MEGABYTE = 1_000_000;

/** Undefined if the damage does not apply to the file. */
type CreateDamage = (text: string, seed: number) => Damage | undefined;

/** The damaged numbers of a file, as shares of their count. */
const FIELDS_AT = [0, 0.3, 0.6, 0.95];

export const DAMAGES: Readonly<Record<string, CreateDamage>> = {
  emptied: () => text(''),
  'cut at a tenth': cutAt(0.1),
  'cut at half': cutAt(0.5),
  'cut at three quarters': cutAt(0.75),
  'without its last byte': (original) => text(original.slice(0, -1)),
  garbage: (_, seed) => text(garbage(seed)),
  'N/A': () => text('N/A\n'),
  '-1': () => text('-1\n'),
  'a line of a megabyte': () => text('7'.repeat(MEGABYTE)),
  NULs: (original) => text('\0'.repeat(Math.max(1, original.length))),
  '2^64-1': () => text('18446744073709551615\n'),
  '2^64': () => text('18446744073709551616\n'),
  missing: () => ({ type: 'missing' }),
  unreadable: () => ({ type: 'error', code: 'EACCES' }),
  'failing with an I/O error': () => ({ type: 'error', code: 'EIO' }),
  'a directory': () => ({ type: 'directory' }),
  ...Object.fromEntries(
    FIELDS_AT.flatMap((at) =>
      ['-1', 'x', '18446744073709551615'].map((field) => [
        `a number, at ${at}, that is ${field}`,
        fieldAt(at, field),
      ]),
    ),
  ),
};

/** One of several numbers, replaced. */
function fieldAt(share: number, field: string): CreateDamage {
  return (original) => {
    const numbers = [...original.matchAll(/(?<![\w.-])-?\d+(?![\w.])/g)];
    const number = numbers[Math.floor(share * numbers.length)];
    if (number === undefined || numbers.length < 2) return undefined;
    return text(original.slice(0, number.index) + field + original.slice(number.index + number[0].length));
  };
}

function cutAt(share: number): CreateDamage {
  return (original) => text(original.slice(0, Math.floor(original.length * share)));
}

function text(damaged: string): Damage {
  return { type: 'text', text: damaged };
}

/** Random bytes, among them more spaces, digits and newlines than by chance. */
function garbage(seed: number): string {
  const random = createRandom(seed);
  const likely = ' \n:0123456789-.kB';
  let garbageText = '';
  while (garbageText.length < GARBAGE_BYTES) {
    const isLikely = random() < 1 / 3;
    const below = isLikely ? likely.length : 256;
    const drawn = Math.floor(random() * below);
    garbageText += isLikely ? likely.charAt(drawn) : String.fromCharCode(drawn);
  }
  return garbageText;
}

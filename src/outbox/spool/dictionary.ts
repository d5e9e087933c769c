/**
 * What makes the records behind a full reading small: its keys have letters, and a number is written as what it differs
 * by from the full reading's own, `A+3k` for a key `A` whose number is 3k (in base 36) larger.
 *
 * Promises: what is written comes back as exactly the same number, because each is read back before it is chosen; what
 * cannot be written so is handed back, to be written by name. Pure.
 */

import type { Reading, Value, Values } from '../../core/model/reading.ts';

const RADIX = 36;
const LETTERS = 26;
const LETTER_A = 0x41;

/** How a difference is counted, by the signs it is written with: memory and disks come in KiB, loads in hundredths. */
const UNITS = [
  { plus: '+', minus: '-', perOne: 1 },
  { plus: '>', minus: '<', perOne: 1 / 1024 },
  { plus: '*', minus: '/', perOne: 100 },
] as const;

const PLAIN = /^\d+(\.\d+)?$/;
const ENTRY = /([A-Z]+)(\d+(?:\.\d+)?|[-+<>*/][0-9a-z]+)/y;

export class Dictionary {
  readonly full: Reading;
  /** The sum of the full reading's record, by which those that need exactly this dictionary name it. */
  readonly sum: number;
  readonly #letters = new Map<string, string>();
  /** The keys of numbers and what they are in the full reading, by letters. */
  readonly #numbers = new Map<string, readonly [string, number]>();

  constructor(full: Reading, sum: number) {
    this.full = full;
    this.sum = sum;
    for (const [key, value] of Object.entries(full.values)) {
      if (typeof value !== 'number') continue;
      const letters = lettersOf(this.#letters.size);
      this.#letters.set(key, letters);
      this.#numbers.set(letters, [key, value]);
    }
  }

  /** What can be written, and all other values. */
  write(values: Values): { readonly encoded: string; readonly rest: Values } {
    let encoded = '';
    const rest: [string, Value][] = [];
    for (const [key, value] of Object.entries(values)) {
      const letters = this.#letters.get(key) ?? '';
      const base = this.#numbers.get(letters)?.[1];
      const text = typeof value === 'number' && base !== undefined ? encodeNumber(value, base) : undefined;
      if (text === undefined) rest.push([key, value]);
      else encoded += letters + text;
    }
    return { encoded, rest: Object.fromEntries(rest) };
  }

  /** The values of what was written; undefined for what was not written with this dictionary. */
  read(encoded: string): readonly (readonly [string, number])[] | undefined {
    const values: [string, number][] = [];
    let at = 0;
    while (at < encoded.length) {
      ENTRY.lastIndex = at;
      const [whole = '', letters = '', text = ''] = ENTRY.exec(encoded) ?? [];
      const [key, base] = this.#numbers.get(letters) ?? [];
      if (key === undefined || base === undefined) return undefined;
      const value = PLAIN.test(text) ? Number(text) : applyDifference(base, text);
      if (!Number.isFinite(value)) return undefined;
      values.push([key, value]);
      at += whole.length;
    }
    return values;
  }
}

/** A difference of whole numbers, or undefined where it is none that is exact. */
export function writeDifference(value: number, base: number): string | undefined {
  const difference = value - base;
  return Number.isSafeInteger(value) && Number.isSafeInteger(base) && Number.isSafeInteger(difference)
    ? difference.toString(RADIX)
    : undefined;
}

export function readDifference(text: string, base: number): number {
  return base + Number.parseInt(text, RADIX);
}

function encodeNumber(value: number, base: number): string | undefined {
  const plain = String(value);
  let best = PLAIN.test(plain) && Object.is(Number(plain), value) ? plain : undefined;
  for (const { plus, minus, perOne } of UNITS) {
    const difference = Math.round(value * perOne) - Math.round(base * perOne);
    if (!Number.isSafeInteger(difference)) continue;
    const text = (difference < 0 ? minus : plus) + Math.abs(difference).toString(RADIX);
    if (best !== undefined && text.length >= best.length) continue;
    if (Object.is(applyDifference(base, text), value)) best = text;
  }
  return best;
}

/** What `text` says, of a number that was `base`. */
function applyDifference(base: number, text: string): number {
  const sign = text.charAt(0);
  const unit = UNITS.find(({ plus, minus }) => sign === plus || sign === minus);
  if (!unit) return Number.NaN;
  const difference = Number.parseInt(text.slice(1), RADIX);
  const ones = Math.round(base * unit.perOne) + (sign === unit.minus ? -difference : difference);
  return ones / unit.perOne;
}

/** A, B, … Z, AA, AB, … */
function lettersOf(index: number): string {
  const last = String.fromCharCode(LETTER_A + (index % LETTERS));
  return index < LETTERS ? last : lettersOf(Math.floor(index / LETTERS) - 1) + last;
}

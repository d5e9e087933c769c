/**
 * A full reading as the dictionary of the records that follow it: its keys become letters, and a number is
 * written as its difference from the full reading's. `A+3k` is the number of key `A` plus 3k (in base 36).
 *
 * Every number reads back exactly, because `write` checks it; it returns what it cannot encode. Pure.
 */

import type { Reading, Value, Values } from '../../core/model/reading.ts';

const RADIX = 36;
const LETTERS = 26;
const LETTER_A = 0x41;

/** Units of a difference, each with its signs: ones, KiB (memory, disks), hundredths (loads). */
const UNITS = [
  { plus: '+', minus: '-', unitsPerOne: 1 },
  { plus: '>', minus: '<', unitsPerOne: 1 / 1024 },
  { plus: '*', minus: '/', unitsPerOne: 100 },
] as const;

const PLAIN = /^\d+(\.\d+)?$/;
const ENTRY = /([A-Z]+)(\d+(?:\.\d+)?|[-+<>*/][0-9a-z]+)/y;

export class Dictionary {
  readonly full: Reading;
  /**
   * Checksum of the full reading's record; the checksums of records that need this dictionary start from it.
   */
  readonly sum: number;
  readonly #letters = new Map<string, string>();
  /** Key and number in the full reading, by letters. */
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

  /** The encoded numbers, and all values that cannot be encoded. */
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

  /** The decoded numbers; undefined if the text does not fit this dictionary. */
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

/** The difference of two integers; undefined if it is not exact. */
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
  for (const { plus, minus, unitsPerOne } of UNITS) {
    const difference = Math.round(value * unitsPerOne) - Math.round(base * unitsPerOne);
    if (!Number.isSafeInteger(difference)) continue;
    const text = (difference < 0 ? minus : plus) + Math.abs(difference).toString(RADIX);
    if (best !== undefined && text.length >= best.length) continue;
    if (Object.is(applyDifference(base, text), value)) best = text;
  }
  return best;
}

/** The number for a difference from `base`. */
function applyDifference(base: number, text: string): number {
  const sign = text.charAt(0);
  const unit = UNITS.find(({ plus, minus }) => sign === plus || sign === minus);
  if (!unit) return Number.NaN;
  const difference = Number.parseInt(text.slice(1), RADIX);
  const units = Math.round(base * unit.unitsPerOne) + (sign === unit.minus ? -difference : difference);
  return units / unit.unitsPerOne;
}

/** A, B, … Z, AA, AB, … */
function lettersOf(index: number): string {
  const last = String.fromCharCode(LETTER_A + (index % LETTERS));
  return index < LETTERS ? last : lettersOf(Math.floor(index / LETTERS) - 1) + last;
}

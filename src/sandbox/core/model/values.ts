/**
 * The stored type of a posted value (contract section 4.2), with type cast on and off. The literal decides:
 * `1` and `1e2` are longs, `1.0` is a double; a fraction of more than 16 decimals and an integer beyond int64
 * become strings. A quoted number becomes a number.
 */

import { integerPart, isWhole, parseDecimal, plainText } from '../json/decimal.ts';
import { jsonText, type LenientObject, type LenientValue } from '../json/lenient-json.ts';
import type { StoredPoint } from './types.ts';

export type StoredValue = Pick<StoredPoint, 'value' | 'type'>;

export type Classification =
  | { readonly status: 'stored'; readonly stored: StoredValue }
  /** JSON null: only the key is dropped. */
  | { readonly status: 'dropped' }
  /** The whole message is rejected. */
  | { readonly status: 'rejected'; readonly message: string };

export type StoredValues =
  | { readonly ok: true; readonly values: ReadonlyMap<string, StoredValue> }
  | { readonly ok: false; readonly message: string };

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
/** Maximum decimals of a double. */
const DOUBLE_DECIMALS_MAX = 16;
const TOO_LONG = 'Big integer values are not supported!';
/** What `isParsable` of commons-lang accepts: no plus sign, no exponent, no blanks, no trailing point. */
const PARSABLE = /^-?[0-9]*\.?[0-9]+$/;

/** The members of one object; the first rejected value rejects all. */
export function classifyMembers(object: LenientObject, typeCast: boolean): StoredValues {
  const values = new Map<string, StoredValue>();
  for (const [key, member] of object.members) {
    const classified = classifyValue(member, typeCast);
    if (classified.status === 'rejected') return { ok: false, message: classified.message };
    if (classified.status === 'stored') values.set(key, classified.stored);
  }
  return { ok: true, values };
}

export function classifyValue(value: LenientValue, typeCast: boolean): Classification {
  switch (value.type) {
    case 'null':
      return { status: 'dropped' };
    case 'boolean':
      return stored('boolean', value.value);
    case 'number':
      return classifyNumber(value.literal, typeCast);
    case 'string':
      return classifyString(value.text, typeCast);
    case 'array':
    case 'object':
      return stored('json', jsonText(value));
  }
}

/** JSON text for attribute responses; doubles keep their point, as on the server. */
export function storedText({ type, value }: StoredValue): string {
  if (type === 'string') return JSON.stringify(value);
  if (type === 'double' && Number.isInteger(value) && !String(value).includes('e')) return `${value}.0`;
  return String(value);
}

function classifyString(text: string, typeCast: boolean): Classification {
  if (typeCast && PARSABLE.test(text)) {
    const number = classifyNumber(text, typeCast);
    if (number.status === 'stored') return number;
  }
  return stored('string', text);
}

function classifyNumber(literal: string, typeCast: boolean): Classification {
  const decimal = parseDecimal(literal);
  if (decimal === undefined) return { status: 'rejected', message: TOO_LONG };
  if (isWhole(decimal) && !isSimpleDouble(literal)) {
    const long = integerPart(decimal);
    if (long >= LONG_MIN && long <= LONG_MAX) return stored('long', longValue(long));
  } else if (decimal.scale <= DOUBLE_DECIMALS_MAX) {
    return stored('double', Number(plainText(decimal)));
  }
  return typeCast ? stored('string', plainText(decimal)) : { status: 'rejected', message: TOO_LONG };
}

/** With a point and without an exponent, even a whole number is a double. */
function isSimpleDouble(literal: string): boolean {
  return literal.includes('.') && !/[eE]/.test(literal);
}

function longValue(long: bigint): number | string {
  const number = Number(long);
  return Number.isSafeInteger(number) ? number : String(long);
}

function stored(type: StoredPoint['type'], value: StoredPoint['value']): Classification {
  return { status: 'stored', stored: { type, value } };
}

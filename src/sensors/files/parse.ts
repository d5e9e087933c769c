/**
 * Text of /proc and /sys into numbers, strictly: anything but the number the kernel documents is a NonsenseError.
 *
 * Beyond 2^53 a number is none: a double cannot hold it, and what the kernel counts does not get there in the life of a host. Only
 * for a counter of which nothing but the steps counts is the nearest double good enough (`counter`): drivers have let theirs
 * run below zero, which must not cost the host all others. Exists because Number('') is 0 and parseInt('12garbage') is 12, and an
 * invented 0 on a dashboard looks like a fact.
 */

import { InvalidValueError, invalidText } from './errors.ts';

/** Where a counter of 64 bits begins again. */
export const COUNTER_MODULUS = 2 ** 64;

/**
 * The lines of a file of /proc, each of which the kernel ends with a newline. One that is not ended was cut, and the number at
 * its end with it: 0.33 would be read as 0.3.
 */
export function splitLines(text: string, path: string): readonly string[] {
  if (!text.endsWith('\n'))
    throw new InvalidValueError(`/${path} is truncated: its last line has no newline`);
  return text.slice(0, -1).split('\n');
}

/** A decimal integer; with a sign only where the file may have one. */
export function parseInteger(text: string | undefined, description: string): number {
  if (text === undefined || !/^-?\d{1,20}$/.test(text)) throw invalidValue(text, description);
  return toSafeInteger(text, description);
}

/** A counter or an amount: an integer that is never negative. */
export function parseNatural(text: string | undefined, description: string): number {
  if (text === undefined || !/^\d{1,20}$/.test(text)) throw invalidValue(text, description);
  return toSafeInteger(text, description);
}

/** What a device that is gone answers. */
const ALL_ONES = '18446744073709551615';

/** What a counter of 64 bits stands at: exact up to 2^53, beyond that the nearest double. */
export function parseCounter(text: string | undefined, description: string): number {
  if (text === undefined || !/^\d{1,20}$/.test(text) || text === ALL_ONES)
    throw invalidValue(text, description);
  const number = Number(text);
  if (number > COUNTER_MODULUS) throw invalidValue(text, description);
  return number;
}

/** A number such as 0.06, not negative. */
export function parseDecimal(text: string | undefined, description: string): number {
  if (text === undefined || !/^\d{1,15}(\.\d{1,9})?$/.test(text)) throw invalidValue(text, description);
  return Number(text);
}

/** A number such as -0.0625. */
export function parseSignedDecimal(text: string | undefined, description: string): number {
  if (text === undefined || !/^-?\d{1,15}(\.\d{1,12})?$/.test(text)) throw invalidValue(text, description);
  return Number(text);
}

function toSafeInteger(text: string, description: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw invalidValue(text, description);
  return number;
}

function invalidValue(text: string | undefined, description: string): InvalidValueError {
  return text === undefined
    ? new InvalidValueError(`${description} is missing`)
    : invalidText(description, text);
}

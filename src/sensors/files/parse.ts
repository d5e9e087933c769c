/**
 * Text of /proc and /sys into numbers, strictly: anything but the number the kernel documents is a NonsenseError.
 *
 * Beyond 2^53 a number is none: a double cannot hold it, and what the kernel counts does not get there in the life of a host. Only
 * for a counter of which nothing but the steps counts is the nearest double good enough (`counter`): drivers have let theirs
 * run below zero, which must not cost the host all others. Exists because Number('') is 0 and parseInt('12garbage') is 12, and an
 * invented 0 on a dashboard looks like a fact.
 */

import { NonsenseError } from './errors.ts';

/** Where a counter of 64 bits begins again. */
export const COUNTER_END = 2 ** 64;

/**
 * The lines of a file of /proc, each of which the kernel ends with a newline. One that is not ended was cut, and the number at
 * its end with it: 0.33 would be read as 0.3.
 */
export function wholeLines(text: string, path: string): readonly string[] {
  if (!text.endsWith('\n')) throw new NonsenseError(`/${path} ends within a line`);
  return text.slice(0, -1).split('\n');
}

/** A decimal integer; with a sign only where the file may have one. */
export function integer(text: string | undefined, what: string): number {
  if (text === undefined || !/^-?\d{1,20}$/.test(text)) throw nonsense(text, what);
  return exact(text, what);
}

/** A counter or an amount: an integer that is never negative. */
export function natural(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,20}$/.test(text)) throw nonsense(text, what);
  return exact(text, what);
}

/** What a device that is gone answers. */
const ALL_ONES = '18446744073709551615';

/** What a counter of 64 bits stands at: exact up to 2^53, beyond that the nearest double. */
export function counter(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,20}$/.test(text) || text === ALL_ONES) throw nonsense(text, what);
  const number = Number(text);
  if (number > COUNTER_END) throw nonsense(text, what);
  return number;
}

/** A number such as 0.06, not negative. */
export function decimal(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,15}(\.\d{1,9})?$/.test(text)) throw nonsense(text, what);
  return Number(text);
}

/** A number such as -0.0625. */
export function signedDecimal(text: string | undefined, what: string): number {
  if (text === undefined || !/^-?\d{1,15}(\.\d{1,12})?$/.test(text)) throw nonsense(text, what);
  return Number(text);
}

function exact(text: string, what: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw nonsense(text, what);
  return number;
}

/** What to say about a text that is not a number: it names the place and quotes at most 24 characters. */
function nonsense(text: string | undefined, what: string): NonsenseError {
  return new NonsenseError(
    `${what} is ${text === undefined ? 'missing' : JSON.stringify(text.slice(0, 24))}`,
  );
}

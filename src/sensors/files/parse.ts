/**
 * Strict conversion of text from /proc and /sys to numbers: any other text than the documented number is an
 * InvalidValueError. Number('') is 0 and parseInt('12garbage') is 12, and an invented 0 on a dashboard looks
 * like a fact.
 */

/** The value at which a 64-bit counter wraps. */
export const COUNTER_MODULUS = 2 ** 64;

/**
 * The kernel ends each line of /proc with a newline. A text without one at its end was cut: 0.33 would become
 * 0.3.
 */
export function splitLines(text: string, path: string): readonly string[] {
  if (!text.endsWith('\n'))
    throw new InvalidValueError(`/${path} is truncated: its last line has no newline`);
  return text.slice(0, -1).split('\n');
}

/** A decimal integer, also a negative one; exact, so at most 2^53. */
export function parseInteger(text: string | undefined, description: string): number {
  if (text === undefined || !/^-?\d{1,20}$/.test(text)) throw invalidValue(text, description);
  return toSafeInteger(text, description);
}

/** A counter or an amount: an integer that is never negative; exact, so at most 2^53. */
export function parseNatural(text: string | undefined, description: string): number {
  if (text === undefined || !/^\d{1,20}$/.test(text)) throw invalidValue(text, description);
  return toSafeInteger(text, description);
}

/** The value that a removed device returns. */
const ALL_ONES = '18446744073709551615';

/**
 * A 64-bit counter of which only the steps matter: exact up to 2^53, beyond that the nearest double. Some
 * drivers let theirs run below zero, which must not make the other values of the host invalid.
 */
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

/** `010200C0`, an IPv4 address in the byte order of a little-endian host, is 192.0.2.1. */
export function ipv4Text(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  return bytes
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

/** `fe80…0001`, 32 digits, in the form of RFC 5952: fe80::1. */
export function ipv6Text(hex: string): string {
  const groups = (hex.match(/.{4}/g) ?? []).join(':');
  // The URL Standard ("host serializing") writes addresses as in RFC 5952.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

const QUOTED_CHARACTERS_MAX = 24;

/** The host returned something that cannot be a value of this sensor. */
export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';
  readonly code = 'SENSOR_INVALID_VALUE';
}

/** `description` names the file or field; at most 24 characters of the text are quoted. */
export function invalidText(description: string, text: string): InvalidValueError {
  return new InvalidValueError(
    `${description} is invalid: ${JSON.stringify(text.slice(0, QUOTED_CHARACTERS_MAX))}`,
  );
}

export function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

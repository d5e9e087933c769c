/**
 * Strict conversion of text from /proc and /sys to numbers: any other text than the documented number is an
 * InvalidValueError. Number('') is 0 and parseInt('12garbage') is 12, and an invented 0 on a dashboard looks
 * like a fact.
 */

/**
 * The kernel ends each line of /proc with a newline. A text without one at its end was cut: 0.33 would become
 * 0.3.
 */
export function splitLines(text: string, path: string): readonly string[] {
  checkWhole(text, path);
  return text.slice(0, -1).split('\n');
}

/** Throws if the last line was cut. */
export function checkWhole(text: string, path: string): void {
  if (!text.endsWith('\n'))
    throw new InvalidValueError(`/${path} is truncated: its last line has no newline`);
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

/**
 * Larger counters are below zero: some drivers let theirs run back, and a removed device returns 2^64 - 1. No
 * counter of a gateway comes near in its life.
 */
const COUNTER_LIMIT = 2 ** 63;
const PLAIN_NUMBERS = /^[\d\s]*$/;
const NATURAL = /^\d{1,20}$/;

/**
 * The blank-separated counters of a line, of which only the steps matter: exact up to 2^53, beyond that the
 * nearest double. NaN for a field that is no counter, so that it does not make the others invalid. At most
 * `fieldsMax`.
 */
export function parseCounters(text: string, fieldsMax = Number.POSITIVE_INFINITY): readonly number[] {
  const isPlain = PLAIN_NUMBERS.test(text);
  const counters: number[] = [];
  const fields = splitFields(text);
  const count = Math.min(fields.length, fieldsMax);
  // By index: an iterator allocates an object for each field.
  for (let at = 0; at < count; at += 1) {
    const field = fields[at] ?? '';
    const number = isPlain || NATURAL.test(field) ? Number(field) : Number.NaN;
    counters.push(number < COUNTER_LIMIT ? number : Number.NaN);
  }
  return counters;
}

/** The error of a field for which parseCounters returned NaN, or which is missing. */
export function invalidCounter(text: string, at: number, description: string): InvalidValueError {
  return invalidValue(splitFields(text)[at], description);
}

function splitFields(text: string): readonly string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
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

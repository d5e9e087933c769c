/**
 * Parses lists of pairs such as "load1=0.1, net*=100". Each name may occur once, spaces around a pair are ignored, and empty
 * text is an empty list. A problem names the number of its part and continues the sentence `<key> = <value> …`.
 */

export const PAIRS_MAX = 64;
/** The limit of a telemetry key (core/model/reading.ts). */
export const KEY_CHARACTERS_MAX = 64;
/** A telemetry key or a glob. Renamed keys may contain a dot, underscore or hyphen. */
export const KEY_GLOB = /^[A-Za-z0-9*_.-]+$/;

/** The value, or the problem, such as "a number that is not above 0"; empty: it does not match the syntax. */
export type ParseValue<T> = (text: string) => { readonly value: T } | { readonly problem: string };

export interface PairFormat<T> {
  /** The pattern of a name. */
  readonly name: RegExp;
  /** For messages, such as "key=number". */
  readonly syntax: string;
  readonly parse: ParseValue<T>;
}

/** The pairs in order, or the problem. */
export function parsePairs<T>(
  text: string,
  { name, syntax, parse }: PairFormat<T>,
): ReadonlyMap<string, T> | string {
  const pairs = new Map<string, T>();
  if (text.trim() === '') return pairs;
  const parts = text.split(',');
  if (parts.length > PAIRS_MAX) return `has more than ${PAIRS_MAX} keys`;
  for (const [index, part] of parts.entries()) {
    const number = index + 1;
    const syntaxProblem = `has an invalid part ${number} (expected ${syntax})`;
    const [, key, valueText] = /^([^=]*?) *= *(.*)$/s.exec(part.trim()) ?? [];
    if (key === undefined || valueText === undefined || !name.test(key)) return syntaxProblem;
    if (key.length > KEY_CHARACTERS_MAX) return `has a key that is too long in part ${number}`;
    if (pairs.has(key)) return `repeats a key in part ${number}`;
    const result = parse(valueText);
    if ('problem' in result)
      return result.problem === '' ? syntaxProblem : `has ${result.problem} in part ${number}`;
    pairs.set(key, result.value);
  }
  return pairs;
}

/** A decimal number without exponent; undefined if `text` is not one. */
export function plainNumber(text: string): number | undefined {
  return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
}

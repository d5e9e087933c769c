/**
 * Lists of pairs as operators write them, "load1=0.1, net*=100": a name and what is said of it.
 *
 * Each name once, spaces around a pair do not count, empty text is no pair at all. What is wrong is said with the number of the
 * part it is in, as the continuation of a sentence.
 */

/** How many pairs a list may have. */
export const PAIRS_MAX = 64;
/** As of every key of a reading (core/reading.ts). */
export const KEY_CHARACTERS_MAX = 64;
/** A key of a reading, or a glob over several; renamed ones (sensor-lists.ts) may have a dot, a line or a hyphen. */
export const KEY_GLOB = /^[A-Za-z0-9*_.-]+$/;

/** What a value is, or what is wrong with it: "that is not above 0". */
export type ParseValue<T> = (text: string) => { readonly value: T } | { readonly problem: string };

export interface PairFormat<T> {
  /** What a name looks like. */
  readonly name: RegExp;
  /** How a pair is written, for who has written something else: "key=number". */
  readonly syntax: string;
  readonly parse: ParseValue<T>;
}

/** The pairs in their order, or what is wrong with them. */
export function parsePairs<T>(
  text: string,
  { name, syntax, parse }: PairFormat<T>,
): ReadonlyMap<string, T> | string {
  const pairs = new Map<string, T>();
  if (text.trim() === '') return pairs;
  const parts = text.split(',');
  if (parts.length > PAIRS_MAX) return `has more than ${PAIRS_MAX} keys`;
  for (const [index, part] of parts.entries()) {
    const position = `as part ${index + 1}`;
    const [, key, valueText] = /^([^=]*?) *= *(.*)$/s.exec(part.trim()) ?? [];
    if (key === undefined || valueText === undefined || !name.test(key))
      return `has something other than ${syntax} ${position}`;
    if (key.length > KEY_CHARACTERS_MAX) return `has a key that is too long ${position}`;
    if (pairs.has(key)) return `has a key for the second time ${position}`;
    const result = parse(valueText);
    if ('problem' in result)
      return `has ${result.problem === '' ? `something other than ${syntax}` : result.problem} ${position}`;
    pairs.set(key, result.value);
  }
  return pairs;
}

/** A plain number: no exponent, no bare point. Undefined when it is none. */
export function plainNumber(text: string): number | undefined {
  return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
}

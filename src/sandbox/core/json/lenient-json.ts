/**
 * The JSON parser of the server: accepts exactly what Gson accepts in lenient mode (contract section 4.3).
 * Numbers keep their literal, because `1`, `1.0`, `1e2` and a fraction of 17 decimals are stored as different
 * types (4.2). Nesting is limited, so that a hostile body cannot exhaust the stack.
 */

import { MalformedText, TextCursor } from './text-cursor.ts';

export type LenientValue =
  | { readonly type: 'null' }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'number'; readonly literal: string }
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'array'; readonly items: readonly LenientValue[] }
  | LenientObject;

export interface LenientObject {
  readonly type: 'object';
  /** In the order of first appearance; the last value of a repeated key counts. */
  readonly members: ReadonlyMap<string, LenientValue>;
}

export type Parsed =
  | { readonly ok: true; readonly value: LenientValue }
  | { readonly ok: false; readonly message: string };

/** Gson's own default limit. */
export const NESTING_MAX = 255;

const STRICT_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Parses one document. An empty or blank text is null, as with Gson. Never throws. */
export function parseLenientJson(text: string): Parsed {
  const cursor = new TextCursor(text);
  try {
    if (cursor.peek() === '') return { ok: true, value: { type: 'null' } };
    const value = readValue(cursor, 0);
    if (cursor.peek() !== '') throw cursor.malformed('Did not consume the entire document');
    return { ok: true, value };
  } catch (error) {
    if (error instanceof MalformedText) return { ok: false, message: error.message };
    throw error;
  }
}

function readValue(cursor: TextCursor, depth: number): LenientValue {
  if (depth > NESTING_MAX) throw cursor.malformed(`Nesting limit ${NESTING_MAX} reached`);
  const char = cursor.expectMore();
  switch (char) {
    case '{':
      cursor.advance();
      return readObject(cursor, depth);
    case '[':
      cursor.advance();
      return readArray(cursor, depth);
    case '"':
    case "'":
      cursor.advance();
      return { type: 'string', text: cursor.quoted(char) };
    default:
      return readWord(cursor);
  }
}

function readObject(cursor: TextCursor, depth: number): LenientObject {
  const members = new Map<string, LenientValue>();
  if (cursor.expectMore() === '}') {
    cursor.advance();
    return { type: 'object', members };
  }
  for (;;) {
    const name = readName(cursor);
    readNameEnd(cursor);
    members.set(name, readValue(cursor, depth + 1));
    const char = cursor.expectMore();
    if (char !== '}' && char !== ',' && char !== ';') throw cursor.malformed('Unterminated object');
    cursor.advance();
    if (char === '}') return { type: 'object', members };
  }
}

function readName(cursor: TextCursor): string {
  const char = cursor.expectMore();
  if (char === '"' || char === "'") {
    cursor.advance();
    return cursor.quoted(char);
  }
  const name = cursor.word();
  if (name === '') throw cursor.malformed('Expected name');
  return name;
}

/** After a name: `:`, `=` or `=>`. */
function readNameEnd(cursor: TextCursor): void {
  const char = cursor.expectMore();
  if (char !== ':' && char !== '=') throw cursor.malformed("Expected ':'");
  cursor.advance();
  if (char === '=') cursor.take('>');
}

/** A missing item is null: `[1,]` is [1,null], `[,]` is [null,null]. */
function readArray(cursor: TextCursor, depth: number): LenientValue {
  const items: LenientValue[] = [];
  if (cursor.expectMore() === ']') {
    cursor.advance();
    return { type: 'array', items };
  }
  for (;;) {
    const first = cursor.expectMore();
    if (first === ']' || first === ',' || first === ';') items.push({ type: 'null' });
    else items.push(readValue(cursor, depth + 1));
    const char = cursor.expectMore();
    if (char !== ']' && char !== ',' && char !== ';') throw cursor.malformed('Unterminated array');
    cursor.advance();
    if (char === ']') return { type: 'array', items };
  }
}

/** A keyword in any case, a number in strict JSON form, or else a string: `NaN`, `007`, `+5`. */
function readWord(cursor: TextCursor): LenientValue {
  const word = cursor.word();
  if (word === '') throw cursor.malformed('Expected value');
  if (STRICT_NUMBER.test(word)) return { type: 'number', literal: word };
  switch (word.toLowerCase()) {
    case 'true':
      return { type: 'boolean', value: true };
    case 'false':
      return { type: 'boolean', value: false };
    case 'null':
      return { type: 'null' };
    default:
      return { type: 'string', text: word };
  }
}

/**
 * Writes JSON like the server: members in order, number literals unchanged, nested nulls kept. JSON.stringify
 * would change 9223372036854775807 and 1.0.
 */
export function jsonText(value: LenientValue): string {
  switch (value.type) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(value.value);
    case 'number':
      return value.literal;
    case 'string':
      return JSON.stringify(value.text);
    case 'array':
      return `[${value.items.map(jsonText).join(',')}]`;
    case 'object':
      return objectText([...value.members].map(([key, member]) => [key, jsonText(member)]));
  }
}

/**
 * The object without members that are null, at every depth; a null in an array stays. The real server loses
 * them when it hands a device's message to its rule engine (contract section 14).
 */
export function withoutNullMembers(object: LenientObject): LenientObject {
  const members = new Map<string, LenientValue>();
  for (const [key, member] of object.members) {
    if (member.type !== 'null') members.set(key, withoutNulls(member));
  }
  return { type: 'object', members };
}

function withoutNulls(value: LenientValue): LenientValue {
  if (value.type === 'object') return withoutNullMembers(value);
  return value.type === 'array' ? { type: 'array', items: value.items.map(withoutNulls) } : value;
}

/** The values of the members are JSON text. */
export function objectText(members: Iterable<readonly [key: string, json: string]>): string {
  return `{${[...members].map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}

/** A JSON object; null and arrays are none. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
